//! From the server to the one who leads the crew: few at a time, and each with a place for its answer.

use portcrew::Snapshot;
use tokio::sync::{mpsc, oneshot};

use super::v1;

/// Requests that may wait for the crew's leader. Beyond it a client is told to try again.
const MOST_WAITING: usize = 16;

/// One wish of a client. A client that has gone is answered in vain.
#[derive(Debug)]
pub(crate) enum Request {
    Status { answer: Answer<Status> },
    Why { answer: Answer<v1::Why> },
    Reload { answer: Answer<v1::Reloaded> },
    Scale { wish: v1::Scale, answer: Answer<v1::Scaled> },
    Stop { wish: v1::Stop, answer: Answer<v1::Stopped> },
    Policy { wish: v1::SetPolicy, answer: Answer<v1::PolicySet> },
    Signal { wish: v1::Signal, answer: Answer<v1::Signalled> },
}

/// Where the answer goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, Trouble>>;

/// The status as the leader knows it, and the snapshot of the library out of which it was made.
pub(crate) type Status = Box<(v1::Status, Snapshot)>;

/// Why a wish is not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be read, or asks for the impossible.
    Wrong(v1::Problem),
    /// Not now: the crew is being stopped.
    Stopping(v1::Problem),
    /// It was tried and failed.
    Failed(v1::Problem),
}

/// The leader's end.
#[derive(Debug)]
pub(crate) struct Requests(mpsc::Receiver<Request>);

/// The server's end.
#[derive(Debug, Clone)]
pub(super) struct Desk(mpsc::Sender<Request>);

pub(super) fn channel() -> (Desk, Requests) {
    let (sender, receiver) = mpsc::channel(MOST_WAITING);
    (Desk(sender), Requests(receiver))
}

impl Requests {
    /// The next one; never, when there is no server any more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Request {
        match self.0.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }
}

impl Desk {
    /// Asks. `None` when too many wait already, or the crew has ended.
    pub(super) fn ask<T>(
        &self,
        request: impl FnOnce(Answer<T>) -> Request,
    ) -> Option<oneshot::Receiver<Result<T, Trouble>>> {
        let (sender, answer) = oneshot::channel();
        self.0.try_send(request(sender)).ok().map(|()| answer)
    }
}
