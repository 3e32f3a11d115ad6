//! Looks at the first bytes of connections.

use std::sync::Arc;

use portcrew_core::ConnId;
use portcrew_core::primary::Event;
use portcrew_core::scheduler::Look;

use crate::sim::client::Client;
use crate::sim::kernel::Peer;
use crate::sim::report::{Broken, Check, Checked, ensure};
use crate::sim::world::World;

impl World {
    pub(super) fn look(&mut self, conn: ConnId, look: Arc<Look>) -> Checked {
        let once = !self.shell.looks.iter().any(|it| it.0 == conn);
        self.shell.looks.push((conn, look));
        ensure(once && self.kernel.conn(conn).primary_copy, Check::C12Choice, || {
            format!("a second look at {conn}, or one at what is closed")
        })
    }

    /// A look has an outcome: the first bytes are there, or none will come. It may be of a connection that has been
    /// given away meanwhile.
    pub(in crate::sim) fn look_next(&mut self) -> Result<bool, Broken> {
        let many = self.shell.looks.len();
        let from = self.rng.index(many);
        let spoke = |at: &usize| {
            let it = self.kernel.conn(self.shell.looks[*at].0);
            it.sent > 0 || it.peer != Peer::Open
        };
        let Some(at) = (from..many).chain(0..from).find(spoke) else {
            return Ok(false);
        };
        let (conn, look) = self.shell.looks.swap_remove(at);
        let says = self.kernel.conn(conn).sent > 0;
        let (source, key) = if says { Client::of(conn).says(&look) } else { (None, None) };
        let waits = self.account.entry(conn).is_some_and(|it| it.awaited);
        self.seen.saw(match (waits, says) {
            (true, true) => "look: bytes",
            (true, false) => "look: the client has gone",
            (false, _) => "look: too late",
        });
        self.feed(Event::Looked { conn, source, key, route: None })?;
        Ok(true)
    }
}
