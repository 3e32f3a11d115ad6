//! The primary's listening sockets.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll, Waker};

use portcrew_core::primary::Mode;
use portcrew_core::{Key, ListenerId, Query};
use portcrew_ipc::reactor::AsyncOwnedFd;

use super::ready::{ReadySet, Source};
use crate::net::bind::{self, Bound, SocketFile};

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
    kind: Kind,
    /// Removed with the socket.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Kind {
    /// We accept from it.
    Handover { socket: AsyncOwnedFd, waker: Waker, accepting: bool },
    /// We keep it for the workers.
    Shared { socket: OwnedFd },
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
            Mode::Shared => Kind::Shared { socket: bound.socket },
        };
        let socket = Socket { key: query.key(), query, kind, _file: bound.file };
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

    /// Another handle to the socket, for a worker.
    pub(super) fn share(&self) -> io::Result<OwnedFd> {
        match &self.kind {
            Kind::Handover { socket, .. } => bind::share(&socket.as_fd()),
            Kind::Shared { socket } => bind::share(socket),
        }
    }
}
