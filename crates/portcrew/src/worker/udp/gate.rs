//! The socket of a worker's UDP and its end: whoever waits on it is woken when it closes.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::net::UdpSocket;
use tokio::runtime::Handle as Runtime;

use crate::link::Ticket;
use crate::worker::inflow::Place;
use crate::worker::open::Slot;
use crate::worker::{Inflow, Tells};

/// A socket that is there until its worker leaves, its user closes it or this is dropped.
#[derive(Debug)]
pub(super) struct Gate {
    /// No connection ever comes by it. It tells that the driver has closed the socket.
    inflow: Arc<Inflow>,
    slot: Arc<Slot<UdpSocket>>,
    /// Of the last caller of a `poll_` method, for each direction.
    receiver: Mutex<Option<Ticket>>,
    sender: Mutex<Option<Ticket>>,
}

/// Which of the two `poll_` callers waits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Receive,
    Send,
}

impl Gate {
    /// Registers the socket with the current runtime.
    pub(super) fn new(inflow: Arc<Inflow>, socket: OwnedFd) -> io::Result<Self> {
        // tokio itself would panic.
        Runtime::try_current().map_err(io::Error::other)?;
        // The mode belongs to the socket, not to the descriptor: another worker may have changed it.
        rustix::io::ioctl_fionbio(&socket, true)?;
        let slot = Slot::new(UdpSocket::from_std(socket.into())?);
        let closing = Arc::clone(&slot);
        inflow.at_close(move || closing.close());
        Ok(Self { inflow, slot, receiver: Mutex::default(), sender: Mutex::default() })
    }

    pub(super) fn socket(&self) -> io::Result<Arc<UdpSocket>> {
        self.slot.get().ok_or_else(closed)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inflow.is_closed()
    }

    /// Closes the socket, as soon as nobody is in the middle of a call with it.
    pub(super) fn close(&self) {
        self.inflow.close();
    }

    /// The outcome of `io`; `None` when the socket is closed first.
    pub(super) async fn unless_closed<T>(&self, io: impl Future<Output = T>) -> Option<T> {
        let mut io = pin!(io);
        let mut place = Place::new(&self.inflow);
        poll_fn(|cx| {
            // Before the socket is touched: a datagram received now could not be answered any more, and another
            // worker can have it.
            if self.is_closed() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = io.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            self.poll_closed(cx, place.ticket()).map(|()| None)
        })
        .await
    }

    /// The outcome of one poll, or the error of a closed socket.
    pub(super) fn poll<T>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        io: impl FnOnce(&UdpSocket, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = io(&*self.socket()?, cx) {
            return Poll::Ready(done);
        }
        let ticket = match direction {
            Direction::Receive => &self.receiver,
            Direction::Send => &self.sender,
        };
        // Nothing panics while it holds this lock.
        let mut ticket = ticket.lock().unwrap_or_else(PoisonError::into_inner);
        self.poll_closed(cx, &mut ticket).map(|()| Err(closed()))
    }

    fn poll_closed(&self, cx: &mut Context<'_>, ticket: &mut Option<Ticket>) -> Poll<()> {
        loop {
            match self.inflow.poll_next(cx, Some(ticket), Tells::No) {
                Poll::Ready(None) => return Poll::Ready(()),
                // The machine refuses connections for a UDP socket.
                Poll::Ready(Some(stray)) => drop(stray),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Now, and not only when the driver hears of it: the port may be wanted again at once.
        self.close();
    }
}

/// What using a closed socket gives; of the same kind as for a listener.
pub(super) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the UDP socket is closed")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;
    use crate::link::Bell;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn gate() -> (Gate, std::net::UdpSocket) {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let others = socket.try_clone().unwrap();
        (Gate::new(Inflow::new(Arc::new(Bell::default())), socket.into()).unwrap(), others)
    }

    #[tokio::test]
    async fn what_has_come_at_the_close_stays_for_other_workers() {
        let (gate, others) = gate();
        let socket = gate.socket().unwrap();
        let mut buffer = [0; 4];
        let mut receiving = pin!(gate.unless_closed(socket.recv_from(&mut buffer)));
        let waits = poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx).is_pending())).await;
        assert!(waits, "nothing was sent yet");
        others.send_to(b"x", others.local_addr().unwrap()).unwrap();
        socket.readable().await.unwrap();
        gate.close();
        assert!(receiving.await.is_none());
        assert_eq!(others.recv(&mut [0; 4]).unwrap(), 1);
    }

    #[tokio::test]
    async fn the_close_wakes_the_last_caller_in_each_direction() {
        let (gate, _others) = gate();
        let callers: [Arc<Count>; 3] = std::array::from_fn(|_| Arc::default());
        let poll = |caller: &Arc<Count>, direction| {
            let waker = Waker::from(Arc::clone(caller));
            gate.poll::<()>(direction, &mut Context::from_waker(&waker), |_, _| Poll::Pending)
        };
        let [replaced, receiver, sender] = &callers;
        assert!(poll(replaced, Direction::Receive).is_pending());
        assert!(poll(receiver, Direction::Receive).is_pending());
        assert!(poll(sender, Direction::Send).is_pending());
        gate.close();
        let woken = callers.each_ref().map(|it| it.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 1, 1]);
        let Poll::Ready(Err(error)) = poll(receiver, Direction::Receive) else { panic!("open") };
        assert_eq!(error.kind(), io::ErrorKind::NotConnected);
    }
}
