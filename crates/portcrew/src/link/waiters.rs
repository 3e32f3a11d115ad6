//! Who waits for the next entry of a queue: one is woken for each entry, and no wake-up is lost.

use std::collections::VecDeque;
use std::task::Waker;

/// The tasks that wait. Guarded by the lock of the queue that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    list: VecDeque<(Ticket, Waker)>,
    /// The last caller of a `poll_` method, which has no future that could give up a place.
    slot: Option<Waker>,
    next: u64,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Who is to be woken once the lock is released: a waker may run anything.
#[derive(Debug, Default)]
#[must_use = "whoever is not woken sleeps for ever"]
pub(crate) struct Woken {
    first: Option<Waker>,
    slot: Option<Waker>,
}

impl Waiters {
    /// Takes a place, or keeps the one that `ticket` names.
    pub(crate) fn wait(&mut self, ticket: &mut Option<Ticket>, waker: &Waker) {
        let place = ticket.and_then(|mine| self.list.iter_mut().find(|(it, _)| *it == mine));
        match place {
            Some((_, old)) => old.clone_from(waker),
            None => {
                let mine = Ticket(self.next);
                self.next += 1;
                self.list.push_back((mine, waker.clone()));
                *ticket = Some(mine);
            }
        }
    }

    /// Waits without a place of its own: the next caller takes this one over.
    pub(crate) fn wait_in_slot(&mut self, waker: &Waker) {
        if !self.slot.as_ref().is_some_and(|it| it.will_wake(waker)) {
            self.slot = Some(waker.clone());
        }
    }

    /// Gives a place up. False when it had been woken already: then it owes the wake to another.
    pub(crate) fn leave(&mut self, ticket: Ticket) -> bool {
        let place = self.list.iter().position(|(it, _)| *it == ticket);
        place.is_some_and(|place| self.list.remove(place).is_some())
    }

    /// The longest-waiting one, and the slot: nobody knows whether its caller still wants anything.
    pub(crate) fn wake_one(&mut self) -> Woken {
        let first = self.list.pop_front().map(|(_, waker)| waker);
        Woken { first, slot: self.slot.take() }
    }

    /// Wakes everybody: the queue is closed.
    pub(crate) fn take_all(&mut self) -> Vec<Waker> {
        let all = self.list.drain(..).map(|(_, waker)| waker);
        all.chain(self.slot.take()).collect()
    }

    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.list.len() + usize::from(self.slot.is_some())
    }
}

impl Woken {
    pub(crate) fn wake(self) {
        for waker in [self.first, self.slot].into_iter().flatten() {
            waker.wake();
        }
    }
}
