//! Workers: how far each one's life has come, and what that allows.

use std::collections::BTreeSet;

use portcrew_core::primary::Origin;
use portcrew_core::{ConnId, Seq, Time, WorkerId};

use super::{Account, Plan};
use crate::sim::report::{Check, Checked, ensure};

/// One worker, from the primary's side.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, in any combination")]
pub struct Member {
    /// Where it belongs.
    pub origin: Origin,
    /// It said its first word.
    pub online: bool,
    /// It speaks the lane.
    pub lane: bool,
    /// It must not be handed connections of a listener that it accepts from itself.
    pub alone: bool,
    /// It was told to leave, or said that it would, or is made to end.
    pub leaving: bool,
    /// Its sockets are at their end.
    pub drained_at: Option<Time>,
    /// Its process was reaped.
    pub exited_at: Option<Time>,
    /// Both, so that nothing can come from it.
    pub gone: bool,
    /// How often it broke the protocol.
    pub offences: u32,
    /// Its open connections, as far as they are counted.
    pub live: u32,
    /// It has one of which nobody will tell the end.
    pub is_silent: bool,
    /// Those of which it will tell the end.
    pub(super) telling: BTreeSet<Seq>,
    pub(super) said_disconnected: bool,
    pub(super) said_exited: bool,
    pub(super) said_uncounted: bool,
}

impl Member {
    /// One that was just started.
    #[must_use]
    pub const fn new(origin: Origin) -> Self {
        Self {
            origin,
            online: false,
            lane: false,
            alone: false,
            leaving: false,
            drained_at: None,
            exited_at: None,
            gone: false,
            offences: 0,
            live: 0,
            is_silent: false,
            telling: BTreeSet::new(),
            said_disconnected: false,
            said_exited: false,
            said_uncounted: false,
        }
    }

    /// It may ask for listeners.
    #[must_use]
    pub const fn may_listen(&self) -> bool {
        !self.leaving && self.is_connected()
    }

    /// Its channel and its process are both there.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.drained_at.is_none() && self.exited_at.is_none()
    }
}

impl Account {
    /// A worker that was ever started.
    #[must_use]
    pub fn member(&self, worker: WorkerId) -> Option<&Member> {
        self.crew.get(&worker)
    }

    pub(super) fn accepts_alone(&mut self, worker: WorkerId) {
        if let Some(it) = self.crew.get_mut(&worker) {
            it.alone = true;
        }
    }

    pub(super) fn online(&mut self, worker: WorkerId, lane: bool) {
        if let Some(it) = self.crew.get_mut(&worker) {
            if !it.online && it.may_listen() {
                (it.online, it.lane) = (true, lane);
            }
        }
    }

    pub(super) fn offence(&mut self, worker: WorkerId) {
        if let Some(it) = self.crew.get_mut(&worker) {
            it.offences += 1;
        }
    }

    pub(super) fn told_to_leave(&mut self, worker: WorkerId) {
        if self.crew.get(&worker).is_some_and(Member::may_listen) {
            self.leaves(worker, true);
        }
    }

    /// It is made to end: what it has stays for its successor.
    pub(super) fn given_up(&mut self, worker: WorkerId) {
        if self.crew.get(&worker).is_some_and(Member::may_listen) {
            self.leaves(worker, false);
        }
    }

    pub(super) fn farewell(&mut self, worker: WorkerId) {
        if self.crew.get(&worker).is_some_and(Member::is_connected) {
            self.leaves(worker, true);
        }
    }

    fn leaves(&mut self, worker: WorkerId, explicit: bool) {
        if let Some(it) = self.crew.get_mut(&worker) {
            it.leaving = true;
        }
        self.asked.retain(|it| it.0 != worker);
        self.unlist(worker, explicit);
    }

    pub(super) fn drained(&mut self, now: Time, worker: WorkerId) {
        if let Some(it) = self.crew.get_mut(&worker) {
            it.drained_at.get_or_insert(now);
        }
        self.ended(worker);
    }

    pub(super) fn exited(&mut self, now: Time, worker: WorkerId) {
        if let Some(it) = self.crew.get_mut(&worker) {
            it.exited_at.get_or_insert(now);
        }
        self.ended(worker);
    }

    fn ended(&mut self, worker: WorkerId) {
        self.asked.retain(|it| it.0 != worker);
        self.unlist(worker, false);
        if let Some(it) = self.crew.get_mut(&worker) {
            it.gone = it.drained_at.is_some() && it.exited_at.is_some();
        }
    }

    /// What time alone brings about, before the machine hears of it.
    pub fn tick(&mut self, now: Time, plan: &Plan) {
        self.note_depths();
        let limits = &plan.limits;
        let mut deserted = Vec::new();
        for (worker, it) in &mut self.crew {
            match (it.drained_at, it.exited_at) {
                // A grandchild has its sockets.
                (None, Some(exited)) if now.since(exited) >= limits.exit_drain => {
                    it.drained_at = Some(now);
                    it.gone = true;
                }
                (Some(drained), None) if now.since(drained) >= limits.abandoned_after => {
                    deserted.push(*worker);
                }
                _ => {}
            }
        }
        for worker in deserted {
            self.abandon(worker);
        }
        self.look_away(now, plan);
    }

    /// A proof is asked for only when the worker's process is reaped and its sockets are drained.
    pub(super) fn may_prove(
        &self,
        now: Time,
        conn: ConnId,
        (worker, seq): (WorkerId, Seq),
        plan: &Plan,
    ) -> Checked {
        let known = self.outstanding.get(&(worker, seq)) == Some(&conn);
        ensure(known, Check::C3Reoffer, || {
            format!("{conn} is judged and was not with worker {worker} as {seq}")
        })?;
        let member = self.crew.get(&worker);
        let given_up = member
            .and_then(|it| it.exited_at)
            .is_some_and(|at| now.since(at) >= plan.limits.exit_drain);
        let gone = member.is_some_and(|it| it.gone);
        ensure(gone || given_up, Check::C3Reoffer, || {
            format!("{conn} is judged while worker {worker} may still answer: {member:?}")
        })
    }
}
