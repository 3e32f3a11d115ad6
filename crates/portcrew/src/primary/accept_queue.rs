//! How full the kernel's accept queue of a listener is: looked at when connections come, before one of them is accepted,
//! and whenever somebody asks.
//!
//! The kernel does not keep the deepest, so it is that of the looks. What waited while the primary accepted nothing
//! (its own queue was full, or it had no time) is still there when it begins again, which is when it is looked.

use std::os::fd::BorrowedFd;

use portcrew_ipc::probe;

/// The kernel's queue of connections that nobody has accepted yet. Of a listener of several sockets
/// ([`Policy::Kernel`](crate::Policy::Kernel)) each has one: how many wait, and how many were dropped, is said of all of
/// them; the limit is that of one, and the deepest that of the deepest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptQueue {
    /// How many waited at this look. The kernel lets in one more than the limit.
    pub waiting: u32,
    /// How many may wait: the listener's backlog, or the system's own limit where that is less.
    pub limit: u32,
    /// The most that waited at any look since the listener was opened. Between two looks it may have been more.
    pub deepest: u32,
    /// Connections, and requests for one, that the kernel has dropped at this listener, nearly always for want of room
    /// in the queue. It begins anew at 0 after 2³². `None` where the kernel does not tell (before Linux 4.12).
    pub dropped: Option<u32>,
}

/// What has been seen of one queue.
#[derive(Debug, Default)]
pub(super) struct Looks {
    deepest: u32,
}

impl Looks {
    /// How many wait, where the kernel tells.
    pub(super) fn waiting(&mut self, socket: BorrowedFd<'_>) -> Option<u32> {
        let waiting = probe::waiting(socket)?;
        self.deepest = self.deepest.max(waiting);
        Some(waiting)
    }

    /// Takes in the others of a listener's queues.
    pub(super) fn merge(one: AcceptQueue, another: AcceptQueue) -> AcceptQueue {
        AcceptQueue {
            waiting: one.waiting + another.waiting,
            limit: one.limit.max(another.limit),
            deepest: one.deepest.max(another.deepest),
            dropped: one.dropped.zip(another.dropped).map(|(one, two)| one.wrapping_add(two)),
        }
    }

    /// Looks. `None` of a socket that is not TCP: the kernel has no such numbers of it.
    pub(super) fn look(&mut self, socket: BorrowedFd<'_>) -> Option<AcceptQueue> {
        let queue = probe::accept_queue(socket).ok()?;
        self.deepest = self.deepest.max(queue.waiting);
        let dropped = probe::dropped(socket).ok();
        let (waiting, limit, deepest) = (queue.waiting, queue.limit, self.deepest);
        Some(AcceptQueue { waiting, limit, deepest, dropped })
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_deepest_is_that_of_all_looks_and_outlasts_those_who_waited() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut looks = Looks::default();
        let mut seen = || {
            let seen = looks.look(listener.as_fd()).unwrap();
            (seen.waiting, seen.deepest, seen.dropped)
        };
        assert_eq!(seen(), (0, 0, Some(0)));
        let address = listener.local_addr().unwrap();
        // Over loopback who is connected is in the queue.
        let _clients = [TcpStream::connect(address), TcpStream::connect(address)];
        assert_eq!(seen(), (2, 2, Some(0)));
        drop(listener.accept().unwrap());
        assert_eq!(seen(), (1, 2, Some(0)));
        let _more = [TcpStream::connect(address), TcpStream::connect(address)];
        assert_eq!(looks.waiting(listener.as_fd()), Some(3));
        while looks.waiting(listener.as_fd()) != Some(0) {
            drop(listener.accept().unwrap());
        }
        assert_eq!(looks.look(listener.as_fd()).unwrap().deepest, 3);
    }

    #[test]
    fn of_a_unix_domain_socket_nothing_is_known() {
        let place = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(place.path().join("s")).unwrap();
        assert_eq!(Looks::default().look(listener.as_fd()), None);
        assert_eq!(Looks::default().waiting(listener.as_fd()), None);
    }
}
