//! What a channel has for its user.

use std::sync::{Arc, Weak};

use super::Mailbox;
use crate::{Error, Handle, Message, Request};

/// Something that the other end sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// A message.
    #[non_exhaustive]
    Message {
        /// What.
        message: Message,
        /// A socket that came with it. It does not block when it comes from portcrew or Node; the mode is the
        /// socket's own, and so the same for all who hold it. What the sender had read from it is the sender's
        /// business: only bytes that nobody has read yet can be read here.
        handle: Option<Handle>,
        /// Where the sender counts its connections: to be kept as long as the connection.
        counted: Option<Counted>,
    },
    /// A question; answer with [`Request::reply`].
    Request(Request),
    /// Something went wrong that does not end the channel: [`Error::HandleLost`].
    Error(Error),
    /// This many of these were dropped because nobody read them; see
    /// [`EVENTS_LIMIT`](crate::EVENTS_LIMIT).
    Lagged {
        /// How many.
        dropped: u64,
    },
}

/// A received connection that its sender counts for as long as this value lives.
///
/// A Node server counts the connections that it sent to other processes too: `server.getConnections` asks
/// for them, and `server.close` waits until the last is closed. A close of a socket is not visible from
/// outside, so this value stands for it: keep it beside the connection and drop both together.
///
/// ```
/// # use portcrew::{Handle, Received};
/// # use std::io::Write;
/// fn greet(received: Received) {
///     if let Received::Message { handle: Some(Handle::TcpStream(mut stream)), counted, .. } = received {
///         std::thread::spawn(move || {
///             let _counted = counted;
///             stream.write_all(b"hello\n")
///         });
///     }
/// }
/// ```
///
/// Dropped early, or never looked at, the connection counts as closed at that moment; it does no other harm.
#[derive(Debug)]
pub struct Counted {
    key: Arc<str>,
    mailbox: Weak<Mailbox>,
}

impl Counted {
    pub(super) fn new(key: Arc<str>, mailbox: &Arc<Mailbox>) -> Self {
        Self { key, mailbox: Arc::downgrade(mailbox) }
    }

    /// The sender's name for the server that the connection came from.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Without a mailbox there is no channel, and nobody who counts.
        if let Some(mailbox) = self.mailbox.upgrade() {
            mailbox.count_out(&self.key);
        }
    }
}
