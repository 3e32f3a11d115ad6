//! What one place of the queue holds.

use portcrew_core::WorkerId;

use crate::link::Load;
use crate::{Event, Message};

/// An event, small while it waits.
#[derive(Debug)]
pub(super) enum Queued {
    /// A message alone, which most are.
    Message {
        worker: WorkerId,
        message: Message,
    },
    Other(Box<Event>),
}

impl Queued {
    /// What it takes of the room that there is.
    pub(super) fn load(&self) -> Load {
        match self {
            Self::Message { message, .. } => Load::of_message(message, None, None),
            Self::Other(event) => match &**event {
                Event::Message { message, handle, counted, .. } => {
                    Load::of_message(message, handle.as_ref(), counted.as_ref())
                }
                Event::Request { request, .. } => Load::of_request(request),
                // Small, and what ends or begins must not be missed for what is long.
                _ => Load::default(),
            },
        }
    }

    pub(super) fn into_event(self) -> Event {
        match self {
            Self::Message { worker, message } => {
                Event::Message { worker, message, handle: None, counted: None }
            }
            Self::Other(event) => *event,
        }
    }
}
