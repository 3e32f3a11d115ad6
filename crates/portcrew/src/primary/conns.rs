//! Our copies of the connections that no worker has taken yet.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_core::ConnId;

/// Open exactly while the machine holds or offers the connection (invariant C4).
#[derive(Debug, Default)]
pub(super) struct Conns {
    open: BTreeMap<ConnId, Arc<OwnedFd>>,
    next: u64,
}

impl Conns {
    pub(super) fn add(&mut self, socket: OwnedFd) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.open.insert(conn, Arc::new(socket));
        conn
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Arc<OwnedFd>> {
        self.open.get(&conn)
    }

    /// Closes our copy.
    pub(super) fn release(&mut self, conn: ConnId) {
        self.open.remove(&conn);
    }
}
