//! What is asked of process 1 of a container, which this process may be: it is given the orphans, and signals that
//! end any other process do nothing to it.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use portcrew::Signal;
use rustix::process::{getpid, set_child_subreaper};
use tokio::signal::unix::{self, SignalKind, signal};

/// Signals that mean nothing to the primary. The program may know what they are for.
const FORWARDED: [&str; 3] = ["SIGUSR1", "SIGUSR2", "SIGWINCH"];

/// The duties of process 1.
#[derive(Debug)]
pub(super) struct Init {
    children: unix::Signal,
    quit: unix::Signal,
    forwarded: Vec<(Signal, unix::Signal)>,
}

/// What a signal to process 1 asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// SIGQUIT, which some images name for their stop.
    Stop,
    /// To each worker.
    Forward(Signal),
    /// A child has ended; of several that do at once it is one.
    ChildEnded,
}

impl Init {
    /// None where this process is not process 1 and has not to act like it. Else from now on orphans are ours: those of
    /// the namespace, or what the workers leave behind.
    ///
    /// # Errors
    /// The kernel refuses a handler, or the place of a subreaper.
    pub(super) fn begin(asked: bool) -> io::Result<Option<Self>> {
        let is_first = getpid().is_init();
        if !is_first && !asked {
            return Ok(None);
        }
        if !is_first {
            set_child_subreaper(Some(getpid()))?;
        }
        let mut forwarded = Vec::new();
        for known in FORWARDED.into_iter().filter_map(Signal::from_name) {
            forwarded.push((known, signal(SignalKind::from_raw(known.number()))?));
        }
        let (children, quit) = (signal(SignalKind::child())?, signal(SignalKind::quit())?);
        Ok(Some(Self { children, quit, forwarded }))
    }

    /// The next order; never ends. Cancel safe.
    pub(super) async fn next(&mut self) -> Order {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Order> {
        if self.quit.poll_recv(context).is_ready() {
            return Poll::Ready(Order::Stop);
        }
        for (signal, stream) in &mut self.forwarded {
            if stream.poll_recv(context).is_ready() {
                return Poll::Ready(Order::Forward(*signal));
            }
        }
        self.children.poll_recv(context).map(|_| Order::ChildEnded)
    }
}
