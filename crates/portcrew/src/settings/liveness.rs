//! When a worker that was ready counts as hung.

use std::time::Duration;

/// How a worker of a [crew](crate::Cluster::start) is looked at after it was ready. One that hangs gets
/// [`Settings::stop_signal`](crate::Settings::stop_signal), two seconds later SIGKILL with its process group, and a
/// successor; the reason is told. A pause of the primary itself (stopped, or without a processor) is held against nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Liveness {
    /// From the end of one probe to the next, where [`Settings::ready`](crate::Settings::ready) is a probe. How long one
    /// may take is in [`Settings::probing`](crate::Settings::probing). Default 10 s.
    pub every: Duration,
    /// How many probes may fail in a row: with the last of them the worker hangs. 0 is taken for 1. Default 3.
    pub failures: u32,
    /// How long a worker may owe an answer to a connection that the primary offered it. Workers answer when they take
    /// one, not when they serve it, so this is the time for which an event loop may be blocked. Looked at each second.
    /// Leave it out for servers that stop accepting on purpose. Default: for ever.
    pub answer_within: Option<Duration>,
    /// How long a worker may be without `WATCHDOG=1` on its notify socket, where that is how it is
    /// [ready](crate::Ready::Notify). It finds the time in `WATCHDOG_USEC`. Default: for ever.
    pub watchdog: Option<Duration>,
}

impl Default for Liveness {
    fn default() -> Self {
        Self { every: Duration::from_secs(10), failures: 3, answer_within: None, watchdog: None }
    }
}
