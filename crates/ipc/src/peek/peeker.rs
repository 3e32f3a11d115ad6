//! Looking again whenever bytes arrive, until it can be told.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::look::{Glance, Look, Seen};
use crate::reactor::Arrivals;

/// One connection whose first bytes are awaited.
///
/// Most connections have shown everything when they are first looked at: for them this is one system call,
/// and no runtime is needed. For the others the socket is registered with the current runtime, and each
/// arrival of bytes is one more look. It holds no bytes: each look begins at the first.
///
/// **The registration lasts until [`poll`](Self::poll) is ready or this value is dropped, whichever is first,
/// and must be gone when the connection is given away.** epoll watches an open connection, not a descriptor:
/// it would go on as long as any process has the connection open, after our copy is closed too (epoll(7), the
/// question about closed descriptors), and wake the primary for every byte that a worker is to read. Both
/// ways remove it explicitly, while the descriptor is open.
#[derive(Debug)]
pub struct Peeker {
    socket: Arc<OwnedFd>,
    look: Arc<Look>,
    /// There while bytes are awaited.
    arrivals: Option<Arrivals>,
    so_far: Seen,
}

impl Peeker {
    /// Does nothing yet.
    #[must_use]
    pub fn new(socket: Arc<OwnedFd>, look: Arc<Look>) -> Self {
        Self { socket, look, arrivals: None, so_far: Seen::default() }
    }

    /// Waits until everything that is looked for is seen, or will not come: the protocol is another, the head
    /// is over or too long, or the peer has ended. Polled again after that it looks again.
    ///
    /// `buffer` is as in [`Look::at`]: one serves all peekers of a task.
    ///
    /// # Errors
    /// As [`peek`](super::peek): after `ConnectionReset` there is nobody to be served. Where bytes must be
    /// awaited, those of [`Arrivals::new`]: the connection is well then, and only what
    /// [`so_far`](Self::so_far) says is known of it. Nothing is registered after an error.
    ///
    /// # Panics
    /// As [`Arrivals::new`].
    pub fn poll(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<io::Result<Seen>> {
        let outcome = ready!(self.poll_registered(cx, buffer));
        // Before anybody is told, and so before the connection can be given away.
        self.arrivals = None;
        Poll::Ready(outcome)
    }

    /// What was seen until now, for whoever does not wait any longer.
    #[must_use]
    pub const fn so_far(&self) -> Seen {
        self.so_far
    }

    fn poll_registered(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Poll<io::Result<Seen>> {
        let Self { socket, look, arrivals, so_far } = self;
        let arrivals = match arrivals {
            Some(arrivals) => arrivals,
            None => {
                let glance = look.at(socket.as_fd(), buffer)?;
                *so_far = glance.seen();
                if let Glance::Settled(seen) = glance {
                    return Poll::Ready(Ok(seen));
                }
                // Bytes that come between the look and this are no loss: the kernel reports at once what a
                // new registration finds.
                arrivals.insert(Arrivals::new(Arc::clone(socket))?)
            }
        };
        arrivals.poll(cx, |socket, ended| {
            let glance = look.at(socket, buffer)?;
            *so_far = glance.seen();
            Ok(match glance {
                Glance::Settled(seen) => Some(seen),
                Glance::NeedMore(seen) => ended.then_some(seen),
            })
        })
    }
}
