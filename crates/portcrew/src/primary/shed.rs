//! Connections for which there is no descriptor, accepted with one that was kept and closed at once.

use std::os::fd::AsFd as _;

use portcrew_core::ListenerId;
use portcrew_core::primary::{AcceptFailure, Event};

use super::driver::Driver;
use crate::net::accept;

impl Driver {
    /// Sheds so many at most, and says how many came.
    pub(super) fn shed(&mut self, listener: ListenerId, most: u32) {
        let mut count = 0;
        if let Some(socket) = self.sockets.get(listener) {
            let spare = self.reserve.lend(1);
            for _ in 0..most {
                match (self.accept_with)(socket.as_fd()) {
                    Ok(accepted) => {
                        drop(accepted);
                        count += 1;
                    }
                    Err(error) => match accept::classify(&error) {
                        Some(AcceptFailure::Connection) => {}
                        // There is none, or it cannot be helped even so.
                        Some(AcceptFailure::Descriptors | AcceptFailure::Resource) | None => break,
                    },
                }
            }
            drop(spare);
        }
        self.then(Event::Shed { listener, count });
    }
}
