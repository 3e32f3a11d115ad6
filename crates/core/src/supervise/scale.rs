//! More slots, or fewer.

use super::crew::{Crew, State, Timer};
use super::slot::{Seat, Slot};
use super::{Action, Notice, SlotId};
use crate::Time;

impl Crew {
    pub(super) fn resize(&mut self, now: Time, wanted: usize, out: &mut Vec<Action>) {
        match self.state {
            State::Idle | State::Running(_) => {}
            // No worker is wanted any more.
            State::Stopping(_) | State::Finished => return,
        }
        self.wanted = self.settings.bounded(wanted);
        let workers = self.wanted;
        out.push(Action::Notify(Notice::Resized { workers }));
        match self.state {
            State::Running(_) => {
                self.remove_slots(now, out);
                self.add_slots();
            }
            // They are made when it begins.
            State::Idle | State::Stopping(_) | State::Finished => {}
        }
    }

    /// New slots have the committed generation, which is known to work; a reload comes to them in turn.
    pub(super) fn add_slots(&mut self) {
        let seat = self.empty_seat();
        for id in (self.slots.len()..self.wanted).map(SlotId) {
            let slot = Slot::new(id, self.generation, seat, &self.settings);
            self.slots.insert(id, slot);
        }
    }

    /// The last slots go, and their workers leave as ever.
    fn remove_slots(&mut self, now: Time, out: &mut Vec<Action>) {
        while self.slots.len() > self.wanted {
            let Some((id, slot)) = self.slots.pop_last() else {
                return;
            };
            self.drop_trial(now, id, out);
            match slot.seat {
                Seat::Taken(who) => self.dismiss(now, who, out),
                Seat::Waiting => {
                    self.timers.cancel(Timer::Restart(id));
                }
                Seat::Vacant | Seat::Cleared | Seat::Parked | Seat::Retired => {}
            }
        }
    }
}
