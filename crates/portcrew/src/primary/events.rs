//! The queue from the driver to the user: bounded, and what is dropped is counted and told.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use crate::link::{Load, Unread};
use crate::{EVENTS_LIMIT, Event};

/// The driver's end.
#[derive(Debug)]
pub(super) struct Events {
    queue: mpsc::Sender<Event>,
    unread: Arc<Unread>,
    dropped: u64,
}

/// The user's end.
#[derive(Debug)]
pub(super) struct Queue {
    queue: mpsc::Receiver<Event>,
    unread: Arc<Unread>,
}

pub(super) fn queue() -> (Events, Queue) {
    let (sender, receiver) = mpsc::channel(EVENTS_LIMIT);
    let unread = Arc::new(Unread::default());
    let events = Events { queue: sender, unread: Arc::clone(&unread), dropped: 0 };
    (events, Queue { queue: receiver, unread })
}

impl Events {
    /// Queues an event. A user who does not read never delays a connection: the newest events are
    /// dropped, and their number is the next thing the user is told.
    pub(super) fn push(&mut self, event: Event) {
        let load = load(&event);
        if !self.unread.add(load) {
            self.dropped += 1;
            return;
        }
        if !self.try_push(event) {
            self.unread.remove(load);
            self.dropped += 1;
        }
    }

    fn try_push(&mut self, event: Event) -> bool {
        if self.dropped > 0 {
            let lagged = Event::Lagged { dropped: self.dropped };
            if self.queue.try_send(lagged).is_err() {
                return false;
            }
            self.dropped = 0;
        }
        self.queue.try_send(event).is_ok()
    }
}

impl Queue {
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        let event = ready!(self.queue.poll_recv(cx));
        if let Some(event) = &event {
            self.unread.remove(load(event));
        }
        Poll::Ready(event)
    }
}

fn load(event: &Event) -> Load {
    match event {
        Event::Message { message, handle, counted, .. } => {
            Load::of_message(message, handle.as_ref(), counted.as_ref())
        }
        Event::Request { request, .. } => Load::of_request(request),
        // Small, and what ends or begins must not be missed for what is long.
        _ => Load::default(),
    }
}
