//! Where a Node worker's debugger connects: Node's `inspectPort`.

use std::fmt;
use std::sync::Arc;

use portcrew_core::WorkerId;

/// The port of a Node worker's inspector: Node's `inspectPort`.
///
/// It matters only where the options before the script, or `NODE_OPTIONS`, speak of the inspector
/// (`--inspect`, `--inspect-brk`, `--inspect-wait`, `--inspect-port`). The worker is told its port by one more
/// `--inspect-port=`; the host that those options name stays.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum InspectPort {
    /// As in Node: the port that the options name, or 9229, plus n; 65535 is followed by 1024. Port 0 stays 0,
    /// and the kernel chooses.
    ///
    /// For workers that are [forked](crate::Cluster::fork) n counts them, from 1. A worker of a
    /// [crew](crate::Cluster::start) has the n of the one that it replaces, so that a debugger finds it where
    /// that was; during a reload, while both live, the lowest that is free.
    #[default]
    Auto,
    /// This one for all. Only one of several living workers gets it; the others say so and go on without. With
    /// 0 the kernel chooses one for each.
    Fixed(u16),
    /// What this answers for each worker.
    By(Arc<dyn Fn(WorkerId) -> u16 + Send + Sync>),
}

impl InspectPort {
    /// What `port` answers for each worker. It is asked at every start of one whose inspector is spoken of.
    pub fn by(port: impl Fn(WorkerId) -> u16 + Send + Sync + 'static) -> Self {
        Self::By(Arc::new(port))
    }
}

impl fmt::Debug for InspectPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("Auto"),
            Self::Fixed(port) => write!(f, "Fixed({port})"),
            Self::By(_) => f.write_str("By(..)"),
        }
    }
}
