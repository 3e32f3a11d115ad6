//! Telling a worker of the crew to leave, in the way that its program understands.

use portcrew_core::WorkerId;
use portcrew_core::primary::Event;

use super::driver::Driver;
use crate::{Drain, Signal};

impl Driver {
    /// By the text that was agreed on.
    pub(super) fn tell_by_text(&mut self, worker: WorkerId) {
        self.unlist(worker);
        let handle = self.registry.lock().get(&worker).cloned();
        let sent = match (self.crew.settings().map(|it| &it.drain), handle) {
            (Some(Drain::Message(text)), Some(handle)) => handle.send(text).is_ok(),
            // It has gone; or the machine has asked for what was not agreed on.
            (Some(Drain::Disconnect | Drain::Signal(_) | Drain::Message(_)) | None, _) => false,
        };
        if !sent {
            // It reads nothing: no word reaches it.
            return self.signal(worker, self.stop_signal());
        }
        if let Some(link) = self.links.get_mut(&worker) {
            link.tell_to_leave();
        }
        self.mark_dirty(worker);
    }

    /// By the signal that was agreed on.
    pub(super) fn tell_by_signal(&mut self, worker: WorkerId) {
        self.unlist(worker);
        let signal = match self.crew.settings().map(|it| &it.drain) {
            Some(Drain::Signal(signal)) => *signal,
            Some(Drain::Disconnect | Drain::Message(_)) | None => self.stop_signal(),
        };
        self.made_to_leave(worker);
        if self.has_a_socket_of_its_own(worker) {
            // New connections go elsewhere as soon as the actions behind this one are done.
            self.retries.signal_later(worker, signal, self.now);
        } else {
            self.signal(worker, signal);
        }
    }

    /// What it leaves behind in its group has no business when it has ended.
    pub(super) fn made_to_leave(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.tell_to_leave();
        }
    }

    pub(super) fn unlist(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get(&worker) {
            link.shared.plan_the_end();
        }
        self.then(Event::Unlist { worker });
    }

    /// SIGTERM, or what the program was said to understand in its place.
    pub(super) fn stop_signal(&self) -> Signal {
        self.crew.settings().map_or(Signal::Terminate, |it| it.stop_signal)
    }
}
