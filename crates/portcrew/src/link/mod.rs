//! One end of a channel as its user sees it: messages and requests, without the cluster's own talk.
//!
//! A [`Mailbox`] is shared between the user's handles and the task that drives the channel. [`Talk`] is that
//! task's half. Both the worker and the child of a plain fork are built on these two.

mod bell;
mod mailbox;
mod outgoing;
mod talk;
mod waiters;

pub(crate) use bell::Bell;
pub(crate) use mailbox::Mailbox;
pub use mailbox::Received;
pub(crate) use talk::{Heard, Talk};
pub(crate) use waiters::{Ticket, Waiters};
