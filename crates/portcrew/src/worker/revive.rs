//! A listening socket that all workers share is shut down by one of them: the primary has it listen again, and here it
//! is registered anew.

use std::future::Future;
use std::os::fd::AsFd as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::{fmt, io};

use portcrew_ipc::reactor::Listening;
use rustix::io::Errno;
use rustix::net::{AddressFamily, sockopt};
use tokio::time::{Instant, sleep};

use super::open::Slot;

/// Between two looks. Nobody tells when it listens again.
const LOOK: Duration = Duration::from_millis(10);

/// How long it is looked for. Beyond it the error is the user's: a primary of Node's never has it listen again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether that is what accept(2) says of a socket that does not listen.
pub(super) fn is_shut(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

/// The waits of one listener.
#[derive(Default)]
pub(super) struct Revival {
    /// When it was found shut down, until it listens again or that was an error: a wait that is given up and begun anew
    /// takes no longer.
    since: Arc<Mutex<Option<Instant>>>,
    /// Of one that polls.
    waiting: Mutex<Option<Waiting>>,
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl Revival {
    /// Waits until it listens, and registers it anew. Over as well when it is closed meanwhile. A Unix-domain socket
    /// never listens again: it is closed, with an error.
    pub(super) fn wait(
        &self,
        slot: &Arc<Slot<Listening>>,
    ) -> impl Future<Output = io::Result<()>> + Send + use<> {
        let (slot, since) = (Arc::clone(slot), Arc::clone(&self.since));
        async move {
            let began = begun(&mut lock(&since));
            let outcome = wait(&slot, began + PATIENCE).await;
            *lock(&since) = None;
            outcome
        }
    }

    /// Goes on with the wait, where there is one.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = lock(&self.waiting);
        let Some(wait) = waiting.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        let waited = ready!(wait.as_mut().poll(cx));
        *waiting = None;
        Poll::Ready(waited)
    }

    pub(super) fn begin(&self, slot: &Arc<Slot<Listening>>) {
        *lock(&self.waiting) = Some(Box::pin(self.wait(slot)));
    }
}

/// When the wait began that goes on now. One that nobody has come back to for so long is another.
fn begun(since: &mut Option<Instant>) -> Instant {
    let recent = since.filter(|it| it.elapsed() < 2 * PATIENCE);
    *since.insert(recent.unwrap_or_else(Instant::now))
}

async fn wait(slot: &Slot<Listening>, deadline: Instant) -> io::Result<()> {
    while let Some(socket) = slot.get() {
        // Nobody can take that back: its error is all that will ever come, and it comes once.
        if sockopt::socket_domain(socket.as_fd())? == AddressFamily::UNIX {
            slot.close();
            return Err(Errno::INVAL.into());
        }
        if sockopt::socket_acceptconn(socket.as_fd())? {
            slot.replace(&socket, Listening::new(socket.as_fd().try_clone_to_owned()?)?);
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Errno::INVAL.into());
        }
        sleep(LOOK).await;
    }
    // Its end is told by the queue of connections.
    Ok(())
}

/// Whoever panicked while it had the lock left what is in it as good as before.
fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Revival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revival").field("waits", &lock(&self.waiting).is_some()).finish()
    }
}
