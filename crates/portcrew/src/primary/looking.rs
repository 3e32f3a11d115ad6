//! Connections whose first bytes are awaited, before the machine chooses by them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use portcrew_core::ConnId;
use portcrew_core::primary::Event;
use portcrew_core::scheduler::Look;
use portcrew_ipc::peek::{self, Peeker, Seen};

use super::driver::Driver;
use super::ready::Source;
use crate::wire;

/// Who looks, and what at.
#[derive(Debug, Default)]
pub(super) struct Looking {
    awaited: BTreeMap<ConnId, (Peeker, Waker)>,
    /// Serves all looks.
    buffer: Vec<u8>,
    /// What was looked for last, as the machine and as the carrier says it: nearly always the same.
    last: Option<(Arc<Look>, Arc<peek::Look>)>,
}

impl Driver {
    /// Most connections have sent everything when they are accepted: those are looked at once and never registered.
    pub(super) fn look(&mut self, conn: ConnId, look: &Arc<Look>) {
        let (Some(socket), Some(look)) = (self.conns.get(conn), self.looking.translate(look))
        else {
            return self.saw(conn, Seen::default());
        };
        let mut peeker = Peeker::new(Arc::clone(socket), look);
        match poll(&mut peeker, Waker::noop(), &mut self.looking.buffer) {
            Poll::Ready(seen) => self.saw(conn, seen),
            Poll::Pending => {
                let waker = self.ready.waker(Source::Look(conn));
                self.looking.awaited.insert(conn, (peeker, waker));
            }
        }
    }

    /// Bytes have arrived.
    pub(super) fn look_again(&mut self, conn: ConnId) {
        let Some((peeker, waker)) = self.looking.awaited.get_mut(&conn) else {
            return;
        };
        if let Poll::Ready(seen) = poll(peeker, waker, &mut self.looking.buffer) {
            self.looking.forget(conn);
            self.saw(conn, seen);
            self.settle();
        }
    }

    fn saw(&mut self, conn: ConnId, seen: Seen) {
        let key = seen.key.map(peek::KeyHash::get);
        self.then(Event::Looked { conn, source: seen.source, key, route: seen.route });
    }
}

impl Looking {
    /// To be called before the connection is given away or closed: a registration would outlive our copy.
    pub(super) fn forget(&mut self, conn: ConnId) {
        self.awaited.remove(&conn);
    }

    /// `None` for a name that no request can have: then there is nothing to be seen.
    fn translate(&mut self, look: &Arc<Look>) -> Option<Arc<peek::Look>> {
        match &self.last {
            Some((ours, theirs)) if Arc::ptr_eq(ours, look) => Some(Arc::clone(theirs)),
            Some(_) | None => {
                let theirs = Arc::new(wire::look(look).ok()?);
                self.last = Some((Arc::clone(look), Arc::clone(&theirs)));
                Some(theirs)
            }
        }
    }
}

/// Looks, with what was seen so far where nothing more can be.
fn poll(peeker: &mut Peeker, waker: &Waker, buffer: &mut Vec<u8>) -> Poll<Seen> {
    let looked = peeker.poll(&mut Context::from_waker(waker), buffer);
    looked.map(|seen| seen.unwrap_or_else(|_| peeker.so_far()))
}
