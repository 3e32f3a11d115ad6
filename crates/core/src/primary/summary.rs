//! What the schedulers decided, told from time to time.

use super::machine::{Primary, Timer};
use super::{Action, Notice, Scheduling};
use crate::Time;

impl Primary {
    /// Something was decided: it is told with the next summary.
    pub(super) fn summarise_later(&mut self, now: Time) {
        if let Some(every) = self.limits.summary_every {
            self.timers.set_if_unset(Timer::Summary, now + every);
        }
    }

    /// Tells the counts of each listener where they have changed. The next one is told when something was decided
    /// again: a quiet primary has no timer.
    pub(super) fn summarise(&mut self, out: &mut Vec<Action>) {
        let rules = &self.rules;
        for (id, listener) in &mut self.listeners {
            if listener.told == listener.counts {
                continue;
            }
            listener.told = listener.counts;
            let given = listener.holders.iter().map(|view| (view.worker, view.given)).collect();
            let policy = rules.name_for(listener);
            let news = Scheduling::Summary { policy, counts: listener.counts, given };
            out.push(Action::Notify(Notice::Scheduling { listener: *id, news }));
        }
    }
}
