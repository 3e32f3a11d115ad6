//! The user code of a worker: it reads requests, answers them, and accepts from shared sockets.

use portcrew_core::{ConnId, ListenerId};

use super::process::{Process, Serving};
use crate::sim::kernel::{Kernel, Peer};
use crate::sim::plan::Point;
use crate::sim::report::{Broken, Check, Coverage, ensure};
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
        match it.peer {
            Peer::Rst => {
                self.lets_go(at);
            }
            Peer::Open | Peer::Fin if unread > 0 && !(begun && rng.percent(50)) => {
                let bytes = if rng.percent(50) { 1 } else { unread };
                kernel.read(self.id, conn, bytes)?;
                self.falls(Point::AfterByte, seen);
            }
            Peer::Fin if !begun => {
                self.lets_go(at);
            }
            Peer::Open | Peer::Fin => {
                kernel.write(self.id, conn)?;
                self.lets_go(at);
            }
        }
        Ok(true)
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
