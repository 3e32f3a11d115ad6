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

use super::listener::closed;
use super::open::Slot;

/// Between two looks. Nobody tells when it listens again.
const LOOK: Duration = Duration::from_millis(10);

/// How long it is looked for. Beyond it the error is the user's: a primary of Node's never has it listen again.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether that is what accept(2) says of a socket that does not listen.
pub(super) fn is_shut(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::INVAL.raw_os_error())
}

/// Waits until it listens, and registers it anew.
pub(super) async fn wait(slot: &Slot<Listening>) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while let Some(socket) = slot.get() {
        // Nobody can take that back: its error is all that will ever come.
        if sockopt::socket_domain(socket.as_fd())? == AddressFamily::UNIX {
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
    Err(closed())
}

/// A wait of one that polls.
#[derive(Default)]
pub(super) struct Revival {
    waiting: Mutex<Option<Waiting>>,
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

impl Revival {
    /// Goes on with the wait, where there is one.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.lock();
        let Some(wait) = waiting.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        let waited = ready!(wait.as_mut().poll(cx));
        *waiting = None;
        Poll::Ready(waited)
    }

    pub(super) fn begin(&self, slot: &Arc<Slot<Listening>>) {
        let slot = Arc::clone(slot);
        *self.lock() = Some(Box::pin(async move { wait(&slot).await }));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        // Whoever panicked while it had the lock left a wait that is as good as before.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Revival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revival").field("waits", &self.lock().is_some()).finish()
    }
}
