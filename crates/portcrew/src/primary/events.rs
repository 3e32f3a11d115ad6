//! The queue from the driver to the user: bounded, and what is dropped is counted and told.

use tokio::sync::mpsc;

use crate::{EVENTS_LIMIT, Event};

/// The driver's end.
#[derive(Debug)]
pub(super) struct Events {
    queue: mpsc::Sender<Event>,
    dropped: u64,
}

pub(super) fn queue() -> (Events, mpsc::Receiver<Event>) {
    let (queue, events) = mpsc::channel(EVENTS_LIMIT);
    (Events { queue, dropped: 0 }, events)
}

impl Events {
    /// Queues an event. A user who does not read never delays a connection: the newest events are
    /// dropped, and their number is the next thing the user is told.
    pub(super) fn push(&mut self, event: Event) {
        if self.dropped > 0 {
            match self.queue.try_send(Event::Lagged { dropped: self.dropped }) {
                Ok(()) => self.dropped = 0,
                Err(_full_or_closed) => {
                    self.dropped += 1;
                    return;
                }
            }
        }
        if self.queue.try_send(event).is_err() {
            self.dropped += 1;
        }
    }
}
