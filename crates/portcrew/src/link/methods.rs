//! How a user talks through a channel: the same on every handle of one.
//!
//! The methods are written once, so that no handle has fewer, or others. Each stands on two private ones:
//! `outlet`, the mailbox, and `driven`, the mailbox once a task drives it.

/// Writes the methods into an `impl` block.
macro_rules! talking {
    () => {
        /// Sends any value as JSON. Returns when it is queued; never waits.
        ///
        /// Node's `send` returns `false` as a hint to slow down: when something waits behind a socket that is
        /// not acknowledged, or 128 KiB wait for the other end. Here `Ok` means that it is queued, behind
        /// whatever waits, and there is no hint before the limit.
        ///
        /// # Errors
        ///
        /// [`Error::Disconnected`](crate::Error::Disconnected) when the channel is closed,
        /// [`Error::Message`](crate::Error::Message) when the value has no JSON form,
        /// [`Error::QueueFull`](crate::Error::QueueFull) beyond [`OUTGOING_LIMIT`](crate::OUTGOING_LIMIT)
        /// messages or [`OUTGOING_BYTES`](crate::OUTGOING_BYTES),
        /// [`Error::Io`](crate::Error::Io) for a message that is longer than any may be (16 MiB).
        pub fn send<T: serde::Serialize + ?Sized>(&self, value: &T) -> crate::Result<()> {
            self.outlet().send_value(value)
        }

        /// Sends a value together with a socket, which is moved in here and closed once the other end has it:
        /// clone it first to keep it. A listening or UDP socket is shared then. Of a connection both may
        /// write (Node's `keepOpen`); what is read by one is not read by the other, and what this process
        /// has read before is its own business. No clone of it blocks from now on: the mode is the socket's own,
        /// and one that blocks would stop a Node process.
        ///
        /// What is sent later waits until the other end has acknowledged the socket. A connection that does
        /// not arrive is sent up to three times more, as in Node, and then given up: that is reported as
        /// [`Error::HandleLost`](crate::Error::HandleLost), and its message is lost with it. Other sockets
        /// are given up at once.
        ///
        /// # Errors
        ///
        /// As [`send`](Self::send).
        pub fn send_with<T: serde::Serialize + ?Sized>(
            &self,
            value: &T,
            handle: impl Into<crate::Handle>,
        ) -> crate::Result<()> {
            self.send_message(crate::Message::new(value)?, Some(handle.into()))
        }

        /// As [`send_with`](Self::send_with), for a connection that the other end is to count under `key`:
        /// see [`connections`](Self::connections) and [`all_closed`](Self::all_closed). Node names a server
        /// so, such as `4:127.0.0.1:80`; any text will do that means the same thing each time.
        ///
        /// # Errors
        ///
        /// As [`send`](Self::send); [`Error::Io`](crate::Error::Io) when it is no connection or `key` has
        /// more than [`CONNECTION_KEY_BYTES`](crate::CONNECTION_KEY_BYTES);
        /// [`Error::QueueFull`](crate::Error::QueueFull) beyond
        /// [`CONNECTION_KEYS_LIMIT`](crate::CONNECTION_KEYS_LIMIT).
        pub fn send_counted<T: serde::Serialize + ?Sized>(
            &self,
            value: &T,
            connection: impl Into<crate::Handle>,
            key: &str,
        ) -> crate::Result<()> {
            let message = crate::Message::new(value)?;
            self.outlet().send_counted(message, connection.into(), key)
        }

        /// Sends a message that is JSON already.
        ///
        /// # Errors
        ///
        /// As [`send`](Self::send).
        pub fn send_message(
            &self,
            message: crate::Message,
            handle: Option<crate::Handle>,
        ) -> crate::Result<()> {
            self.outlet().send(message, handle)
        }

        /// Asks and waits for the answer.
        ///
        /// # Errors
        ///
        /// As [`send`](Self::send); [`Error::Deadline`](crate::Error::Deadline) when no answer came in time.
        ///
        /// # Panics
        ///
        /// In a runtime without time: build it with `enable_time` or `enable_all`.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future gives up the wait; the question has been sent all the same.
        pub async fn request<T, R>(
            &self,
            question: &T,
            deadline: std::time::Duration,
        ) -> crate::Result<R>
        where
            T: serde::Serialize + ?Sized,
            R: serde::de::DeserializeOwned,
        {
            self.driven()?.ask(question, deadline).await
        }

        /// How many connections the other end holds open that were sent to it under `key`. Those that were
        /// sent before this call are counted.
        ///
        /// # Errors
        ///
        /// [`Error::Disconnected`](crate::Error::Disconnected) when the channel is closed,
        /// [`Error::Deadline`](crate::Error::Deadline) when no answer came in time,
        /// [`Error::QueueFull`](crate::Error::QueueFull) when too many such questions wait.
        ///
        /// # Panics
        ///
        /// As [`request`](Self::request).
        ///
        /// # Cancel safety
        ///
        /// Dropping the future gives up the wait.
        pub async fn connections(
            &self,
            key: &str,
            deadline: std::time::Duration,
        ) -> crate::Result<usize> {
            self.driven()?.connections(key, deadline).await
        }

        /// Waits until the other end holds no connection open that was sent to it under `key`.
        ///
        /// # Errors
        ///
        /// [`Error::Disconnected`](crate::Error::Disconnected) when the channel is closed before: then nobody
        /// says. [`Error::QueueFull`](crate::Error::QueueFull) when too many wait.
        ///
        /// # Cancel safety
        ///
        /// Dropping the future gives up the wait.
        pub async fn all_closed(&self, key: &str) -> crate::Result<()> {
            self.driven()?.all_closed(key).await
        }
    };
}

pub(crate) use talking;
