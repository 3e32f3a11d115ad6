//! What the figures were taken on.

use std::fs;
use std::thread;

use portcrew_testkit::node::Node;
use serde::Serialize;

/// The machine in one line.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) system: String,
    /// One, five and fifteen minutes, when the run began.
    pub(crate) load: String,
    #[serde(serialize_with = "version")]
    pub(crate) node: Option<Node>,
}

impl Machine {
    pub(crate) fn look() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let release = read("/proc/sys/kernel/osrelease");
        // The host's own suffix says nothing to anybody else.
        let release = release.trim().split('-').next().unwrap_or_default();
        Self {
            cores: thread::available_parallelism().map_or(1, usize::from),
            system: format!("Linux {release}, {}", std::env::consts::ARCH),
            load: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
            node: Node::find(),
        }
    }

    pub(crate) fn line(&self) -> String {
        let node = match &self.node {
            Some(node) => format!("Node {}", node.version()),
            None => "node not found: its rows are left out".to_owned(),
        };
        let Self { cores, system, load, .. } = self;
        format!("{cores} cores, {system}, {node}; load average at the start {load}")
    }
}

fn version<S: serde::Serializer>(node: &Option<Node>, serializer: S) -> Result<S::Ok, S::Error> {
    node.as_ref().map(|node| node.version().to_string()).serialize(serializer)
}
