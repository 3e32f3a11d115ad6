//! A listener whose socket is waited for by a thread: see [`exclusive`](crate::net::exclusive).

use std::os::fd::OwnedFd;

use super::Inflow;
use crate::net::exclusive::Taker;

impl Taker for Inflow {
    fn is_in_demand(&self) -> bool {
        Self::is_in_demand(self)
    }

    fn take(&self, connection: OwnedFd) {
        self.deliver(connection, None);
    }
}
