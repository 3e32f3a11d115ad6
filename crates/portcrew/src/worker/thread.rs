//! A listener whose socket is waited for by a thread: see [`exclusive`](crate::net::exclusive).

use std::os::fd::OwnedFd;

use super::Inflow;
use crate::net::exclusive::Taker;

impl Taker for Inflow {
    fn wait_for_demand(&self) -> bool {
        self.is_in_demand()
    }

    fn take(&self, connection: OwnedFd) {
        self.deliver(connection, None);
    }
}
