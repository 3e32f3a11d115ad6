//! The user code of a worker: it reads requests, answers them, and accepts from shared sockets.

use portcrew_core::{ConnId, ListenerId};

use super::process::{Process, Serving};
use crate::sim::kernel::{Kernel, Peer};
use crate::sim::plan::{Manner, Point};
use crate::sim::report::{Broken, Check, Checked, Coverage, ensure};
use crate::sim::rng::Rng;

impl Process {
    /// One step of one request. Says whether there was one.
    ///
    /// # Errors
    /// When the connection is another worker's too.
    pub fn serve(
        &mut self,
        kernel: &mut Kernel,
        rng: &mut Rng,
        seen: &mut Coverage,
    ) -> Result<bool, Broken> {
        if !self.is_running() {
            return Ok(false);
        }
        let mut accepted = false;
        if (self.hands.is_empty() || rng.percent(40)) && self.accept(kernel, seen) {
            accepted = true;
            // What is accepted may be read at once, before anything else has a turn.
            if self.hands.is_empty() || !self.is_running() || rng.percent(60) {
                return Ok(true);
            }
        }
        if self.hands.is_empty() {
            return Ok(self.accept_shared(kernel, rng));
        }
        let last = self.hands.len() - 1;
        let at = if accepted { last } else { rng.index(last + 1) };
        let conn = self.hands[at];
        let it = kernel.conn(conn);
        let (unread, begun) = (it.unread(), it.read > 0);
        // What nothing can prove untouched is answered before it is touched, and so is all on the channel.
        let answered = self.answered.contains(&conn) || !self.offers.values().any(|it| *it == conn);
        ensure(answered || (self.link.has_lane && !it.unix), Check::WorkerSide, || {
            format!("worker {} has {conn} in hand before its answer is out", self.id)
        })?;
        let corked = it.corked > 0;
        match it.peer {
            Peer::Rst => {
                self.lets_go(at);
            }
            Peer::Open | Peer::Fin if !corked && self.corks(rng) => {
                seen.saw("worker corked a write");
                kernel.cork(self.id, conn)?;
                self.falls(Point::AfterCork, seen);
            }
            Peer::Open | Peer::Fin if unread > 0 && !(begun && rng.percent(50)) => {
                self.reads(conn, unread, kernel, rng, seen)?;
            }
            Peer::Fin if !begun && !corked => {
                self.lets_go(at);
            }
            Peer::Open | Peer::Fin => {
                kernel.write(self.id, conn)?;
                self.lets_go(at);
            }
        }
        Ok(true)
    }

    /// Reads some, looks without reading, or has all thrown away.
    fn reads(
        &mut self,
        conn: ConnId,
        unread: u64,
        kernel: &mut Kernel,
        rng: &mut Rng,
        seen: &mut Coverage,
    ) -> Checked {
        let peeks = self.temper.manner == Manner::Crashing(Point::AfterPeek);
        if peeks || rng.percent(8) {
            // Nothing that the kernel counts.
            seen.saw("worker looked at bytes");
            self.falls(Point::AfterPeek, seen);
            return Ok(());
        }
        let (bytes, discards) =
            if rng.percent(50) { (1, false) } else { (unread, rng.percent(20)) };
        if discards {
            seen.saw("worker had bytes thrown away");
        }
        kernel.read(self.id, conn, bytes)?;
        self.falls(Point::AfterByte, seen);
        Ok(())
    }

    fn corks(&self, rng: &mut Rng) -> bool {
        self.temper.manner == Manner::Crashing(Point::AfterCork) || rng.percent(5)
    }

    fn accept_shared(&mut self, kernel: &mut Kernel, rng: &mut Rng) -> bool {
        let shared: Vec<_> = self.servers.iter().filter_map(|it| shared(it.state)).collect();
        if shared.is_empty() || self.draining {
            return false;
        }
        let listener = rng.one_of(&shared);
        let Some(conn) = accept(kernel, listener) else {
            return false;
        };
        kernel.conn_mut(conn).delivered_to = Some(self.id);
        self.hands.push(conn);
        true
    }
}

const fn shared(state: Serving) -> Option<ListenerId> {
    match state {
        Serving::Shared(listener) => Some(listener),
        Serving::Asked | Serving::Open | Serving::Closed => None,
    }
}

fn accept(kernel: &mut Kernel, listener: ListenerId) -> Option<ConnId> {
    kernel.sockets.get_mut(&listener)?.backlog.pop_front()
}
