//! What becomes of a worker that hangs: it is found out what it is doing, and then it is ended as that allows.

use std::time::Duration;

use super::crew::{Crew, Timer};
use super::life::{Beat, Doubt, Life};
use super::restart::Loss;
use super::{Action, Force, Found, Notice, Reason};
use crate::{Time, WorkerId};

/// How long a worker that owes an answer may take to show that its runtime turns, or as long as it may owe one, if that
/// is shorter.
const BEAT_WITHIN: Duration = Duration::from_secs(1);

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
                out.push(Action::Examine { worker });
                if is_unanswered(&reason) {
                    self.ask_at_once(now, worker, out);
                }
                self.look_again(now, worker);
            }
            // It is being looked at; or it is on its way out, for which there are deadlines.
            (Life::Up(_), Doubt::Examined { .. }) | (Life::Cut(_) | Life::Ending(_), _) => {}
        }
    }

    /// Who is looked at has its time for that, from now on.
    pub(super) fn look_again(&mut self, now: Time, worker: WorkerId) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        let waits = match record.doubt {
            Doubt::Examined { reason, .. } => is_unanswered(&reason) && record.beat == Beat::Asked,
            Doubt::None | Doubt::Excused(_) => return,
        };
        let (look, most) = (self.settings.examine_within, self.settings.answers());
        let beat = most.filter(|_| waits).map(|it| it.min(BEAT_WITHIN));
        self.timers.set(Timer::Examined(worker), now + beat.map_or(look, |it| it.max(look)));
    }

    /// It has shown life in this way: what it was suspected for, if that is withdrawn by it, is forgotten. Another
    /// suspicion stands: a thread that says that it lives says nothing of another that does not answer.
    pub(super) fn shows_life(&mut self, worker: WorkerId, withdraws: fn(&Reason) -> bool) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match record.doubt {
            Doubt::Excused(_) => record.doubt = Doubt::None,
            Doubt::Examined { reason, .. } if withdraws(&reason) => {
                record.doubt = Doubt::None;
                self.timers.cancel(Timer::Examined(worker));
            }
            Doubt::None | Doubt::Examined { .. } => {}
        }
    }

    /// It is known what it is doing. What owes an answer and may still show that its runtime turns is given its time for
    /// that; but one that is stopped cannot.
    pub(super) fn examined(
        &mut self,
        now: Time,
        worker: WorkerId,
        found: Found,
        owes: Option<Time>,
        out: &mut Vec<Action>,
    ) {
        let (Some(record), Some(most)) = (self.workers.get(&worker), self.settings.answers())
        else {
            return self.hung(now, worker, found, out);
        };
        let Doubt::Examined { reason, .. } = record.doubt else {
            return;
        };
        if is_unanswered(&reason) {
            let due = owes.map(|since| since.max(self.resumed) + most);
            if due.is_none_or(|due| now < due) {
                // What it owes still was not told of when it was looked at: only its oldest offer is.
                if let Some(due) = due {
                    self.timers.bring_forward(Timer::Answers, due);
                }
                return self.shows_life(worker, is_unanswered);
            }
            if found == Found::Able && record.beat == Beat::Asked {
                return;
            }
        }
        self.hung(now, worker, found, out);
    }

    /// It is known what it is doing, or will not be known. Nobody waits for it any more: it is made to end, and
    /// replaced; but for one that somebody debugs, who would lose what he looks at.
    pub(super) fn hung(
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

const fn is_unanswered(reason: &Reason) -> bool {
    matches!(reason, Reason::Unanswered(_))
}
