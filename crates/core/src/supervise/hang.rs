//! What becomes of a worker that hangs: it is found out what it is doing, and then it is ended as that allows.

use super::crew::{Crew, Timer};
use super::life::{Doubt, Life};
use super::restart::Loss;
use super::{Action, Force, Found, Notice, Reason};
use crate::{Time, WorkerId};

impl Crew {
    /// It serves nobody any more. What it is doing can be seen until it is signalled, so that is looked at first.
    pub(super) fn hangs(
        &mut self,
        now: Time,
        worker: WorkerId,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match (record.life, record.doubt) {
            (Life::Up(_), Doubt::None | Doubt::Excused(_)) => {
                let again = record.doubt != Doubt::None;
                record.doubt = Doubt::Examined { reason, again };
                let until = now + self.settings.examine_within;
                self.timers.set(Timer::Examined(worker), until);
                out.push(Action::Examine { worker });
            }
            // It is being looked at; or it is on its way out, for which there are deadlines.
            (Life::Up(_), Doubt::Examined { .. }) | (Life::Cut(_) | Life::Ending(_), _) => {}
        }
    }

    /// It is known what it is doing, or will not be known. Nobody waits for it any more: it is made to end, and
    /// replaced; but for one that somebody debugs, who would lose what he looks at.
    pub(super) fn examined(
        &mut self,
        now: Time,
        worker: WorkerId,
        found: Found,
        out: &mut Vec<Action>,
    ) {
        self.timers.cancel(Timer::Examined(worker));
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        let before = *record;
        let (Life::Up(_), Doubt::Examined { reason, again }) = (before.life, before.doubt) else {
            // It left meanwhile, or was told to; or this was found out too late.
            return;
        };
        record.doubt = match found {
            Found::Traced => Doubt::Excused(now),
            Found::Able | Found::Stopped => Doubt::None,
        };
        if found != Found::Traced || !again {
            out.push(Action::Notify(Notice::Hangs { worker, reason, found }));
        }
        match found {
            Found::Able => self.force(now, worker, Force::Report, out),
            Found::Stopped => self.kill(now, worker, out),
            // Looked at again when a deadline has passed once more.
            Found::Traced => return,
        }
        let lost = Loss::of(worker, &before, reason, now, &self.settings);
        self.lost(now, lost, out);
    }
}
