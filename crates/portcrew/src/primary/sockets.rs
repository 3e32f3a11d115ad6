//! The primary's listening sockets.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use portcrew_core::primary::BoundTo;
use portcrew_core::{Key, ListenerId, Query, SocketKind, Time};
use portcrew_ipc::reactor::{Arrivals, HangUp};

use super::AcceptQueue;
use super::accept_queue::Looks;
use super::ready::{ReadySet, Source};
use super::streak::{Shut, Streak};
use crate::net::accept;
use crate::net::bind::{self, Bound};
use crate::net::refused::Refused;
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
    /// Where it listens, if it can be made to listen again.
    address: Option<SocketAddr>,
    /// Once workers have it too, for one of them may shut it down for all.
    watched: Option<(HangUp, Waker)>,
    /// How often in a row that was done.
    shut: Streak,
    /// It was shut down, and could not be made to listen again yet.
    is_lost: bool,
    /// Workers have it too.
    is_shared: bool,
    /// At the kernel's queue.
    looks: Looks,
    socket: Arc<OwnedFd>,
}

/// What wakes us for connections.
#[derive(Debug)]
struct Accepting {
    arrivals: Arrivals,
    waker: Waker,
    /// So many are there, as far as it was asked and nobody else has taken them. None: none are, until there is news.
    waiting: Option<u32>,
}

impl Sockets {
    pub(super) fn add(&mut self, id: ListenerId, query: Query, bound: Bound) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&bound.socket, true)?;
        let Bound { file, socket, to } = bound;
        self.insert(id, query, &to, (file, Arc::new(socket)));
        Ok(())
    }

    /// One of several sockets stands for the listener.
    pub(super) fn add_one_of_many(
        &mut self,
        id: ListenerId,
        query: Query,
        to: &BoundTo,
        one: Arc<OwnedFd>,
    ) {
        self.insert(id, query, to, (None, one));
    }

    /// Another does: that one is closed.
    pub(super) fn stand_in(&mut self, id: ListenerId, another: Arc<OwnedFd>) {
        if let Some(socket) = self.open.get_mut(&id) {
            socket.socket = another;
        }
    }

    fn insert(
        &mut self,
        id: ListenerId,
        query: Query,
        to: &BoundTo,
        (file, socket): (Option<SocketFile>, Arc<OwnedFd>),
    ) {
        let is_tcp = to.kind == SocketKind::Tcp;
        let address = if is_tcp { accept::local(&socket) } else { None };
        let socket = Socket {
            key: query.key(),
            query,
            port: to.sockname.as_ref().map(|it| it.port),
            _file: file,
            accepting: None,
            address,
            watched: None,
            shut: Streak::new(),
            is_lost: false,
            is_shared: false,
            looks: Looks::default(),
            socket,
        };
        self.open.insert(id, socket);
    }

    pub(super) fn get(&self, id: ListenerId) -> Option<&Socket> {
        self.open.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: ListenerId) -> Option<&mut Socket> {
        self.open.get_mut(&id)
    }

    pub(super) fn close(&mut self, id: ListenerId) {
        self.open.remove(&id);
    }

    /// How full the kernel's queue is; `None` for what is not TCP.
    pub(super) fn look(&mut self, id: ListenerId) -> Option<AcceptQueue> {
        let socket = self.open.get_mut(&id)?;
        socket.looks.look(socket.socket.as_fd())
    }

    /// Begins to watch for its being shut down, unless that is done already. Only TCP can listen again.
    ///
    /// # Errors
    /// There is no descriptor or no memory to watch with: how long to wait before the next attempt.
    pub(super) fn watch(&mut self, id: ListenerId, ready: &ReadySet) -> Result<(), Duration> {
        let Some(socket) = self.open.get_mut(&id) else {
            return Ok(());
        };
        socket.is_shared = true;
        if socket.address.is_none() || socket.watched.is_some() {
            return Ok(());
        }
        match HangUp::watch(socket.socket.as_fd()) {
            Ok(hang_up) => {
                socket.watched = Some((hang_up, ready.waker(Source::Shared(id))));
                Ok(())
            }
            Err(_) => Err(socket.shut.not_watched()),
        }
    }

    /// Sets its mode once more where workers have it too: the mode is everybody's, and accepting must not block.
    pub(super) fn keep_mode(&self, id: ListenerId) {
        if let Some(Socket { is_shared: true, socket, .. }) = self.open.get(&id) {
            // It cannot fail for a socket.
            let _ = rustix::io::ioctl_fionbio(socket, true);
        }
    }

    /// Whether it was shut down. If so it is watched no longer.
    pub(super) fn was_shut(&mut self, id: ListenerId, now: Time) -> Option<Shut> {
        let socket = self.open.get_mut(&id)?;
        let watched = socket
            .watched
            .take_if(|(hang_up, waker)| hang_up.poll(&mut Context::from_waker(waker)).is_ready());
        watched.map(|_| socket.shut.shut(now))
    }

    /// Has it listen again. The port, if it did not listen. That it cannot is an error the first time.
    pub(super) fn listen_again(&mut self, id: ListenerId) -> Result<Option<u16>, Refused> {
        let socket = self.open.get_mut(&id);
        let Some((socket, address)) = socket.and_then(|it| it.address.map(|at| (it, at))) else {
            return Ok(None);
        };
        let backlog = socket.query.backlog;
        match bind::listen_again(socket.socket.as_fd(), address, backlog) {
            Ok(did_not) => {
                socket.is_lost = false;
                Ok(did_not.then_some(address.port()))
            }
            Err(_) if socket.is_lost => Ok(None),
            Err(refused) => {
                socket.is_lost = true;
                Err(refused)
            }
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
            socket.accepting = Some(Accepting { arrivals, waker, waiting: None });
        }
        Ok(())
    }
}

impl Socket {
    /// Runs `accept` once a connection waits; pending also while accepting is off.
    ///
    /// An `accept` that finds nothing costs as much as one that does: the kernel makes the new socket first. So it is
    /// asked how many wait, and once they are taken how many have come meanwhile, until none has.
    pub(super) fn poll_accept<R>(
        &mut self,
        mut accept: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let Some(Accepting { arrivals, waker, waiting }) = &mut self.accepting else {
            return Poll::Pending;
        };
        loop {
            match waiting {
                None => {
                    ready!(arrivals.poll_news(&mut Context::from_waker(waker)))?;
                    *waiting = Some(0);
                }
                Some(0) => {
                    *waiting = match self.looks.waiting(self.socket.as_fd()) {
                        Some(0) => None,
                        // It cannot tell, or was shut down: it is tried, and says then how it is.
                        None => Some(u32::MAX),
                        some => some,
                    }
                }
                Some(left) => match accept(self.socket.as_fd()) {
                    Ok(accepted) => {
                        *left -= 1;
                        return Poll::Ready(Ok(accepted));
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => *waiting = None,
                    Err(error) => return Poll::Ready(Err(error)),
                },
            }
        }
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
