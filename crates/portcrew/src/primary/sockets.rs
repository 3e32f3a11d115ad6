//! The primary's listening sockets.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use portcrew_core::{Key, ListenerId, Query, Time};
use portcrew_ipc::reactor::Arrivals;

use super::AcceptQueue;
use super::accept_queue::Looks;
use super::ready::{ReadySet, Source};
use crate::net::bind::Bound;
use crate::net::unix_path::SocketFile;

/// Every listening socket by its number.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: BTreeMap<ListenerId, Socket>,
}

/// One listening socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) key: Key,
    pub(super) query: Query,
    /// The port that it got; none for Unix-domain sockets.
    pub(super) port: Option<u16>,
    /// Removed before the socket is closed, hence before it in this list.
    _file: Option<SocketFile>,
    /// While we accept from it. Ends before the socket, too.
    accepting: Option<Accepting>,
    /// At the kernel's queue.
    looks: Looks,
    socket: Arc<OwnedFd>,
}

/// What wakes us for connections.
#[derive(Debug)]
struct Accepting {
    arrivals: Arrivals,
    waker: Waker,
}

impl Sockets {
    pub(super) fn add(&mut self, id: ListenerId, query: Query, bound: Bound) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&bound.socket, true)?;
        let socket = Socket {
            key: query.key(),
            query,
            port: bound.to.sockname.as_ref().map(|it| it.port),
            _file: bound.file,
            accepting: None,
            looks: Looks::default(),
            socket: Arc::new(bound.socket),
        };
        self.open.insert(id, socket);
        Ok(())
    }

    pub(super) fn get(&self, id: ListenerId) -> Option<&Socket> {
        self.open.get(&id)
    }

    pub(super) fn close(&mut self, id: ListenerId) {
        self.open.remove(&id);
    }

    /// How full the kernel's queue is; `None` for what is not TCP.
    pub(super) fn look(&mut self, id: ListenerId, now: Time) -> Option<AcceptQueue> {
        let socket = self.open.get_mut(&id)?;
        socket.looks.look(now, socket.socket.as_fd())
    }

    /// The same, unless it has been looked just now.
    pub(super) fn look_now_and_then(&mut self, id: ListenerId, now: Time) {
        if self.open.get(&id).is_some_and(|it| it.looks.is_due(now)) {
            self.look(id, now);
        }
    }

    /// Begins or stops accepting. While it is off nothing wakes us: the workers may be accepting.
    ///
    /// # Errors
    /// The kernel has no memory for the registration.
    pub(super) fn accept(&mut self, id: ListenerId, on: bool, ready: &ReadySet) -> io::Result<()> {
        let Some(socket) = self.open.get_mut(&id) else {
            return Ok(());
        };
        socket.accepting = None;
        if on {
            let arrivals = Arrivals::new(Arc::clone(&socket.socket))?;
            let waker = ready.waker(Source::Listener(id));
            socket.accepting = Some(Accepting { arrivals, waker });
        }
        Ok(())
    }
}

impl Socket {
    /// Runs `accept` once the socket is readable; pending also while accepting is off.
    pub(super) fn poll_accept<R>(
        &self,
        mut accept: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let Some(Accepting { arrivals, waker }) = &self.accepting else {
            return Poll::Pending;
        };
        arrivals.poll(&mut Context::from_waker(waker), |socket, _| match accept(socket) {
            Ok(accepted) => Ok(Some(accepted)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Asks to be polled again: there may be more than one turn's worth.
    pub(super) fn again(&self) {
        if let Some(Accepting { waker, .. }) = &self.accepting {
            waker.wake_by_ref();
        }
    }

    /// The socket itself, for a worker. It takes no descriptor, so it cannot fail: the worker is a holder already.
    pub(super) fn share(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.socket)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd as _;

    use portcrew_core::{Address, Family};

    use super::*;
    use crate::net::bind;

    #[test]
    fn to_share_a_socket_takes_no_further_descriptor() {
        let address = Address::Udp {
            host: Some("127.0.0.1".to_owned()),
            port: 0,
            family: Family::V4,
            flags: 0,
            fd: None,
        };
        let query = Query { address, index: 0, backlog: None, data: None };
        let bound = bind::bind(&query).unwrap();
        let own = bound.socket.as_raw_fd();
        let mut sockets = Sockets::default();
        let id = ListenerId(0);
        sockets.add(id, query, bound).unwrap();
        // One that had to be opened could fail: the worker would hear that it has a socket, and get none.
        assert_eq!(sockets.get(id).unwrap().share().as_raw_fd(), own);
    }
}
