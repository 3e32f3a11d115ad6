//! Connections of which the primary is told the end.
//!
//! Each is here from the answer that promises it to the user's word that it is over, so there are as many as the user
//! has open.

use std::collections::BTreeMap;

use super::machine::Worker;
use super::{Action, Carrier};
use crate::{ConnId, Seq};

/// The promises that are open.
#[derive(Debug)]
pub(super) struct Telling {
    seqs: BTreeMap<ConnId, Seq>,
}

impl Telling {
    pub(super) const fn new() -> Self {
        Self { seqs: BTreeMap::new() }
    }

    /// Nobody is left who would hear of them, and no more are made: see [`Worker::is_connected`].
    pub(super) fn clear(&mut self) {
        self.seqs.clear();
    }
}

impl Worker {
    /// Remembers that an end is to be told. False where it cannot be: Node's channel has no word for it.
    pub(super) fn promise(&mut self, conn: ConnId, seq: Seq, carrier: &Carrier) -> bool {
        let can = matches!(carrier, Carrier::Lane(_)) && self.is_connected();
        if can {
            self.telling.seqs.insert(conn, seq);
        }
        can
    }

    /// The user is done with a connection.
    pub(super) fn ended(&mut self, conn: ConnId, out: &mut Vec<Action>) {
        // Of one that was answered plainly, or whose primary has gone meanwhile, nothing was promised.
        if let Some(seq) = self.telling.seqs.remove(&conn) {
            out.push(Action::TellEnd { seq });
        }
    }
}
