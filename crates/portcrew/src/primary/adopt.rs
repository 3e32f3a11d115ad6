//! Connections that workers had taken before anybody counted: found in their descriptor tables.
//!
//! A policy that counts may be set while the crew serves. What is open by then was never noted, so each worker's
//! descriptors are looked at once. A worker whose table cannot be read (another user's, or a sandbox) begins at none.

use std::collections::HashSet;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use portcrew_core::primary::Event;
use portcrew_core::{ListenerId, WorkerId};
use portcrew_ipc::ends::{Cookie, cookie};
use portcrew_ipc::process::Process;

use super::counting::Open;
use super::driver::Driver;

/// Most descriptors that are looked at, per worker. Those beyond are not counted.
const MOST: usize = 65_536;

impl Driver {
    /// Counts what the workers have open already of a listener.
    pub(super) fn find_open(&mut self, listener: ListenerId) {
        let port = self.sockets.get(listener).and_then(|it| it.port);
        let (Some(port), true) = (port, self.machine.ledger().taken > 0) else {
            return;
        };
        // A worker has these too, and nobody knows yet whether it takes them.
        let ours = self.conns.all().filter_map(|it| cookie(it.socket.as_fd()).ok());
        let mut known: HashSet<Cookie> = ours.chain(self.counting.cookies()).collect();
        let workers: Vec<_> = self.links.keys().copied().collect();
        for worker in workers {
            let Some(link) = self.links.get(&worker) else { continue };
            let table: Vec<_> = numbers(link.shared.pid).take(MOST).collect();
            for number in table {
                self.look_at(worker, number, (listener, port), &mut known);
            }
        }
    }

    /// Counts what a worker has under this number, if it is a connection of the listener.
    fn look_at(
        &mut self,
        worker: WorkerId,
        number: RawFd,
        (listener, port): (ListenerId, u16),
        known: &mut HashSet<Cookie>,
    ) {
        let Some(link) = self.links.get(&worker) else { return };
        let Some((cookie, held)) = connection(&link.process, number, port) else { return };
        if known.insert(cookie) {
            self.counting.insert(cookie, Open { worker, listener });
            self.then(Event::Found { worker, listener });
        }
        // Until here our copy kept the kernel from telling its end. One at a time: thousands would be too many for us.
        drop(held);
    }
}

/// The numbers of a process's descriptors.
fn numbers(pid: u32) -> impl Iterator<Item = RawFd> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// What a descriptor is, when it is a connection to this port, and a copy of it.
fn connection(process: &Process, number: RawFd, port: u16) -> Option<(Cookie, OwnedFd)> {
    let held = process.copy_fd(number).ok()?;
    let local = SocketAddr::try_from(rustix::net::getsockname(&held).ok()?).ok()?;
    // A listening socket has no peer.
    let is_connected = rustix::net::getpeername(&held).is_ok();
    (local.port() == port && is_connected).then_some(())?;
    Some((cookie(held.as_fd()).ok()?, held))
}
