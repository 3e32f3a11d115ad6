//! When a worker that was ready counts as hung.

use std::time::Duration;

/// How a worker of a [crew](crate::Cluster::start) is looked at after it was ready: each way on its own.
///
/// Of one that hangs it is found out first what it is [doing](crate::Diagnosis), which
/// [`Event::Hangs`](crate::Event::Hangs) tells. Then it gets [`Settings::hang_signal`](crate::Settings::hang_signal),
/// [`Settings::kill_after`](crate::Settings::kill_after) that SIGKILL with its process group, and a successor; the
/// connections that it has not touched are answered by others. One that is stopped (SIGSTOP) hears no other signal, so it
/// gets SIGKILL at once. One that somebody debugs (ptrace), or that has an inspector, is left alone, with its connections.
/// What it was missed for and shows while it is looked at (an answer, a beat, a probe, a sign) withdraws that.
///
/// A pause of the primary itself (stopped, or without a processor) is held against nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Liveness {
    /// From the end of one probe to the next, where [`Settings::ready`](crate::Settings::ready) is a probe. How long one
    /// may take is in [`Settings::probing`](crate::Settings::probing). Default: a worker that is ready is not probed
    /// again.
    pub every: Option<Duration>,
    /// How many probes may fail in a row: with the last of them the worker hangs. 0 is taken for 1. Default 3.
    pub failures: u32,
    /// How long a worker may owe an answer to a connection that the primary offered it. Workers answer when they take
    /// one, not when they serve it, so this is the time for which an event loop may be blocked; what has it at most is a
    /// connection whose worker hangs. A worker that is not ready is given until
    /// [`Settings::start_deadline`](crate::Settings::start_deadline); one that has an inspector is never looked at, since
    /// it may stand at a breakpoint. A worker of this library answers when its program accepts, which may wait on purpose:
    /// so its runtime is asked first, and while that turns it has as long again. Leave it out (`None`) for others that
    /// stop accepting on purpose, for as long.
    /// Default 60 s: no connection waits for ever.
    pub answer_within: Option<Duration>,
    /// How long a worker may be without `WATCHDOG=1` on its notify socket, where that is how it is
    /// [ready](crate::Ready::Notify). It finds the time in `WATCHDOG_USEC`. Default: for ever.
    pub watchdog: Option<Duration>,
    /// How often a worker that speaks the lane, as those of this library do, is asked whether its runtime turns: the task
    /// that answers is spawned on the runtime that its user's are. When it has not answered by the next question it
    /// hangs. So a worker is noticed that has nothing to answer, before the next connection meets it. Of a runtime with
    /// several threads it is noticed when all are blocked. It costs each worker a packet each way. Default: never.
    pub heartbeat: Option<Duration>,
}

impl Default for Liveness {
    fn default() -> Self {
        Self {
            every: None,
            failures: 3,
            answer_within: Some(Duration::from_secs(60)),
            watchdog: None,
            heartbeat: None,
        }
    }
}

impl Liveness {
    /// Whether one of the times is none.
    pub(super) fn is_hasty(&self) -> bool {
        let times = [self.every, self.answer_within, self.watchdog, self.heartbeat];
        times.contains(&Some(Duration::ZERO))
    }
}
