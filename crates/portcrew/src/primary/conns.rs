//! Our copies of the connections that no worker has taken yet.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_core::{ConnId, ListenerId};

/// Open exactly while the machine holds or offers the connection (invariant C4).
#[derive(Debug, Default)]
pub(super) struct Conns {
    open: BTreeMap<ConnId, Conn>,
    next: u64,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) socket: Arc<OwnedFd>,
    /// Where it came in.
    pub(super) listener: ListenerId,
}

impl Conns {
    pub(super) fn add(&mut self, socket: OwnedFd, listener: ListenerId) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.open.insert(conn, Conn { socket: Arc::new(socket), listener });
        conn
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Arc<OwnedFd>> {
        self.open.get(&conn).map(|it| &it.socket)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Conn> {
        self.open.values()
    }

    /// Gives our copy up: it is closed when what is returned is dropped.
    pub(super) fn release(&mut self, conn: ConnId) -> Option<Conn> {
        self.open.remove(&conn)
    }
}
