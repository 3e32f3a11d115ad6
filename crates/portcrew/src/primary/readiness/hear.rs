//! What is made of the signs by which a worker shows that it is ready.

use portcrew_core::WorkerId;
use portcrew_core::supervise::Event;

use super::notify::Said;
use super::{NotifySocket, Sign, Watch};
use crate::link::Received;
use crate::primary::driver::Driver;
use crate::primary::launcher::Place;
use crate::{Error, Message, Ready, Result};

/// Whether this is the text `ready`, as `process.send('ready')` writes it.
pub(in crate::primary) fn says_ready(received: &Received) -> bool {
    match received {
        Received::Message { message, .. } => is_ready(message),
        Received::Request(_) | Received::Error(_) | Received::Lagged { .. } => false,
    }
}

/// The same of a message.
pub(in crate::primary) fn is_ready(message: &Message) -> bool {
    message.as_bytes() == b"\"ready\""
}

impl Driver {
    /// The socket for a worker that is to have one.
    pub(in crate::primary) fn notify_socket(
        &self,
        place: Option<Place>,
    ) -> Result<Option<NotifySocket>> {
        if place.is_none() || !self.crew.is_ready_by(&Ready::Notify) {
            return Ok(None);
        }
        let user = self.launcher.settings_of(place).uid;
        NotifySocket::new(user).map(Some).map_err(Error::io("make a worker's notify socket"))
    }

    /// Begins to watch a worker of the crew.
    pub(in crate::primary) fn watch(
        &self,
        worker: WorkerId,
        place: Option<Place>,
        notify: Option<NotifySocket>,
    ) -> Option<Watch> {
        place?;
        let ours = self.crew.settings()?;
        let again = ours.liveness.every;
        Watch::new(worker, &ours.ready, ours.probing, again, notify, &self.command_sender)
    }

    /// A worker's text on its channel says that it is ready.
    pub(in crate::primary) fn said_ready(&mut self, worker: WorkerId) {
        if self.crew.is_ready_by(&Ready::Message) {
            self.crew_tell(Event::Ready { worker });
            self.settle();
        }
    }

    /// A watch has found something out.
    pub(in crate::primary) fn sign(&mut self, worker: WorkerId, sign: Sign) {
        match sign {
            Sign::Probed { began, answered } => {
                let began = self.time_of(began);
                self.crew_tell(Event::Probed { worker, began, answered });
            }
            Sign::Memory(bytes) => self.crew_tell(Event::Memory { worker, bytes }),
            Sign::Notified(said) => self.notified(worker, said),
        }
        self.settle();
    }

    fn notified(&mut self, worker: WorkerId, said: Said) {
        if let Some(text) = said.status {
            self.events.push(crate::Event::Status { worker, text });
        }
        if said.ready {
            self.crew_tell(Event::Ready { worker });
        }
        if said.alive {
            self.crew_tell(Event::Sign { worker });
        }
    }
}
