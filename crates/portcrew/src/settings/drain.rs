//! How a worker of a crew is told to leave.

use crate::Signal;

/// How a worker of a [crew](crate::Cluster::start) is told to leave: by a stop, a reload, fewer workers, or because it
/// is worn. It gets no new connection from then on, whichever it is; who has not left within
/// [`Settings::grace`](crate::Settings::grace) gets [`Settings::stop_signal`](crate::Settings::stop_signal), and
/// [`Settings::kill_after`](crate::Settings::kill_after) later SIGKILL with its whole process group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drain {
    /// By Node's own order to disconnect. A program that has never spoken on its channel gets the stop signal.
    #[default]
    Disconnect,
    /// By this text on its channel: with `shutdown` PM2's `shutdown_with_message`. The program ends by itself. One that
    /// has never spoken, or that does not read, gets the stop signal.
    Message(String),
    /// By this signal. The program ends by itself.
    Signal(Signal),
}
