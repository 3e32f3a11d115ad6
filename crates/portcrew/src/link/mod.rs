//! One end of a channel as its user sees it: messages, sockets and requests, without the cluster's own talk.
//!
//! A [`Mailbox`] is shared between the user's handles and the task that drives the channel. [`Talk`] is that
//! task's half. The primary's end of each worker, the worker's end, and both ends of a plain fork are built on
//! these two.

mod again;
mod arrivals;
mod bell;
mod held;
mod lent;
mod mailbox;
mod methods;
mod outgoing;
mod peer;
mod received;
mod talk;
#[cfg(test)]
mod tests;
mod unread;
mod waiters;

pub(crate) use again::Again;
pub(crate) use arrivals::Arrivals;
pub(crate) use bell::Bell;
pub(crate) use mailbox::Mailbox;
pub(crate) use methods::talking;
pub(crate) use peer::Peer;
pub use received::{Counted, Received};
pub(crate) use talk::{Heard, Talk, USER_TOKENS, farewell_settings};
pub(crate) use unread::{Load, Unread};
pub(crate) use waiters::{Ticket, Waiters};
