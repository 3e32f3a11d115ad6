//! Connections on their way through a worker: offered, and not yet in the user's hand.
//!
//! The primary keeps its copy until a connection is answered, so nothing here can be lost: what the user
//! does not take, because its listener is closed or because the worker dies, goes to another worker.

use std::collections::VecDeque;

use super::machine::{Proof, Worker};
use super::{Action, Carrier, Verdict};
use crate::{ConnId, Seq, ServerId};

/// The connections that the user has not taken, oldest first. The primary's window bounds them.
#[derive(Debug)]
pub(super) struct Untaken {
    // Users take in order, so a search nearly always ends at the first.
    conns: VecDeque<Conn>,
}

#[derive(Debug)]
struct Conn {
    conn: ConnId,
    server: ServerId,
    seq: Seq,
    carrier: Carrier,
    /// The user can take it. Otherwise it is to be answered first.
    delivered: bool,
}

impl Untaken {
    pub(super) const fn new() -> Self {
        Self { conns: VecDeque::new() }
    }

    pub(super) fn clear(&mut self) {
        self.conns.clear();
    }

    fn remove(&mut self, conn: ConnId, fits: impl Fn(&Conn) -> bool) -> Option<Conn> {
        let place = self.conns.iter().position(|it| it.conn == conn && fits(it))?;
        self.conns.remove(place)
    }
}

impl Worker {
    /// Keeps a connection for the user, or refuses it: the listener may have been closed while it was on its
    /// way.
    pub(super) fn offered(
        &mut self,
        seq: Seq,
        carrier: Carrier,
        conn: Option<ConnId>,
        out: &mut Vec<Action>,
    ) {
        let Some(conn) = conn else {
            // Towards Node this must be an answer, never a NACK: after a NACK it forgets the client.
            self.answer(&carrier, seq, Verdict::Lost, out);
            return;
        };
        let Some((server, proof)) = self.server_of(&carrier) else {
            // It may have overtaken the reply that names its listener.
            if matches!(carrier, Carrier::Lane(listener) if self.park(seq, listener, conn)) {
                return;
            }
            self.answer(&carrier, seq, Verdict::Refused, out);
            out.push(Action::Drop { conn });
            return;
        };
        // On the lane the user may touch a TCP connection before the answer is out: the kernel's proof
        // covers the gap. By any other way the answer comes first.
        let delivered = matches!(carrier, Carrier::Lane(_)) && proof == Proof::Kernel;
        out.push(if delivered {
            Action::Deliver { server, conn }
        } else {
            Action::Hold { server, conn }
        });
        self.untaken.conns.push_back(Conn { conn, server, seq, carrier, delivered });
    }

    /// The user waits for a held connection: answered first, delivered after.
    pub(super) fn wanted(&mut self, conn: ConnId, told: bool, out: &mut Vec<Action>) {
        let Some(it) = self.untaken.remove(conn, |it| !it.delivered) else {
            return;
        };
        self.accept(&it, told, out);
        out.push(Action::Deliver { server: it.server, conn });
    }

    /// The user has it. One that was answered first is not known here any more.
    pub(super) fn taken(&mut self, conn: ConnId, told: bool, out: &mut Vec<Action>) {
        if let Some(it) = self.untaken.remove(conn, |it| it.delivered) {
            self.accept(&it, told, out);
        }
    }

    fn accept(&mut self, it: &Conn, told: bool, out: &mut Vec<Action>) {
        let kept = told && self.promise(it.conn, it.seq, &it.carrier);
        let verdict = if kept { Verdict::Kept } else { Verdict::Accepted };
        self.answer(&it.carrier, it.seq, verdict, out);
    }

    /// The user will never have it: the primary may give it to another worker.
    pub(super) fn returned(&mut self, conn: ConnId, out: &mut Vec<Action>) {
        if let Some(it) = self.untaken.remove(conn, |_| true) {
            self.answer(&it.carrier, it.seq, Verdict::Refused, out);
            out.push(Action::Drop { conn });
        }
    }
}
