//! The primary's listening sockets.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use portcrew_core::primary::Mode;
use portcrew_core::{Key, ListenerId, Query};
use portcrew_ipc::reactor::AsyncOwnedFd;

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
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// We accept from it.
    Handover { socket: AsyncOwnedFd, waker: Waker, accepting: bool },
    /// We keep it for the workers.
    Shared { socket: Arc<OwnedFd> },
}

impl Sockets {
    pub(super) fn add(
        &mut self,
        id: ListenerId,
        query: Query,
        mode: Mode,
        bound: Bound,
        ready: &ReadySet,
    ) -> io::Result<()> {
        let kind = match mode {
            Mode::Handover => Kind::Handover {
                socket: AsyncOwnedFd::new_readable(bound.socket)?,
                waker: ready.waker(Source::Listener(id)),
                accepting: false,
            },
            Mode::Shared => Kind::Shared { socket: Arc::new(bound.socket) },
        };
        let port = bound.to.sockname.as_ref().map(|it| it.port);
        let socket = Socket { key: query.key(), query, port, _file: bound.file, kind };
        self.open.insert(id, socket);
        Ok(())
    }

    pub(super) fn get(&self, id: ListenerId) -> Option<&Socket> {
        self.open.get(&id)
    }

    pub(super) fn close(&mut self, id: ListenerId) {
        self.open.remove(&id);
    }

    /// Begins or stops accepting.
    pub(super) fn accept(&mut self, id: ListenerId, on: bool) {
        let Some(Socket { kind: Kind::Handover { waker, accepting, .. }, .. }) =
            self.open.get_mut(&id)
        else {
            return;
        };
        *accepting = on;
        if on {
            waker.wake_by_ref();
        }
    }
}

impl Socket {
    /// Runs `accept` once the socket is readable; pending also while accepting is off.
    pub(super) fn poll_accept<R>(
        &self,
        accept: impl FnMut(std::os::fd::BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        match &self.kind {
            Kind::Handover { socket, waker, accepting: true } => {
                socket.poll_read_io(&mut Context::from_waker(waker), accept)
            }
            Kind::Handover { accepting: false, .. } | Kind::Shared { .. } => Poll::Pending,
        }
    }

    /// Asks to be polled again: there may be more than one turn's worth.
    pub(super) fn again(&self) {
        if let Kind::Handover { waker, .. } = &self.kind {
            waker.wake_by_ref();
        }
    }

    /// The socket itself, for a worker; none of one that we accept from. It takes no descriptor, so it cannot
    /// fail: the worker is a holder already.
    pub(super) fn share(&self) -> Option<Arc<OwnedFd>> {
        match &self.kind {
            Kind::Handover { .. } => None,
            Kind::Shared { socket } => Some(Arc::clone(socket)),
        }
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
        sockets.add(id, query, Mode::Shared, bound, &ReadySet::default()).unwrap();
        // One that had to be opened could fail: the worker would hear that it has a socket, and get none.
        assert_eq!(sockets.get(id).unwrap().share().unwrap().as_raw_fd(), own);
    }
}
