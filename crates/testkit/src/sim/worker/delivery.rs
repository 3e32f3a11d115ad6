//! From the socket to the user's hand: what waits in the worker, and what is given back.

use std::collections::VecDeque;

use portcrew_core::{ConnId, ServerId};

use super::process::{Process, Queued, Serving, Todo};
use crate::sim::kernel::Kernel;
use crate::sim::plan::Point;
use crate::sim::report::{Check, Checked, Coverage, ensure};

impl Process {
    /// A connection waits for the user, who may not have it before it is answered.
    pub(super) fn enqueue(&mut self, server: ServerId, conn: ConnId, held: bool) -> Checked {
        let open = self
            .servers
            .iter()
            .any(|it| it.id == server && matches!(it.state, Serving::Open | Serving::Shared(_)));
        ensure(open, Check::WorkerSide, || {
            format!("connection {conn} came to listener {server}, which is not open")
        })?;
        self.queue.push_back(Queued { server, conn, held });
        Ok(())
    }

    /// A connection is the user's: at once if the user waits for it, or when the user accepts next.
    pub(super) fn deliver(
        &mut self,
        server: ServerId,
        conn: ConnId,
        kernel: &mut Kernel,
        seen: &mut Coverage,
    ) -> Checked {
        self.enqueue(server, conn, false)?;
        if self.brain.is_node() || self.wanted == Some(conn) {
            self.wanted = None;
            self.queue.pop_back();
            self.take(conn, kernel, seen);
        }
        Ok(())
    }

    /// The user accepts. Says whether there was something to accept.
    pub(super) fn accept(&mut self, kernel: &mut Kernel, seen: &mut Coverage) -> bool {
        let Some(it) = self.queue.front().copied() else {
            return false;
        };
        // It waits for one already, or the listener is being closed and gives it back in a moment.
        let closing = |todo: &Todo| matches!(todo, Todo::Closed(id) if *id == it.server);
        if self.wanted.is_some() || self.todo.iter().any(closing) {
            return false;
        }
        self.queue.pop_front();
        if it.held {
            self.wanted = Some(it.conn);
            let steps = self.brain.wanted(it.conn);
            self.plan_all(steps);
        } else {
            self.take(it.conn, kernel, seen);
        }
        true
    }

    fn take(&mut self, conn: ConnId, kernel: &mut Kernel, seen: &mut Coverage) {
        kernel.conn_mut(conn).delivered_to = Some(self.id);
        self.hands.push(conn);
        if self.falls(Point::AfterDeliver, seen) {
            return;
        }
        let steps = self.brain.taken(conn);
        self.plan_all(steps);
        self.todo.push_back(Todo::Flush);
    }

    /// A listener is closed: what the user has not taken is given back.
    pub(super) fn closed(&mut self, id: ServerId, seen: &mut Coverage) {
        self.mark(id, Serving::Closed);
        let all = std::mem::take(&mut self.queue);
        let (back, kept): (VecDeque<_>, _) = all.into_iter().partition(|it| it.server == id);
        self.queue = kept;
        for it in back {
            seen.saw("worker gave back what its user had not taken");
            let steps = self.brain.returned(it.conn);
            self.plan_all(steps);
        }
        self.todo.push_back(Todo::Flush);
    }
}
