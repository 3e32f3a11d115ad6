//! Messages between a primary and its workers: any JSON value, and a socket if wanted.

pub use portcrew_ipc::handle::HandleSocket as Handle;
pub use portcrew_ipc::message::UserMessage as Message;

/// Messages that wait for the other end of one channel, at most. Beyond it
/// [`Error::QueueFull`](crate::Error::QueueFull).
pub const OUTGOING_LIMIT: usize = 65_536;

/// Bytes of messages that wait for the other end of one channel, at most: as text, with a little for each
/// message besides. Beyond it [`Error::QueueFull`](crate::Error::QueueFull).
pub const OUTGOING_BYTES: usize = 32 * 1024 * 1024;

/// Keys under which connections were sent through one channel, at most. A key counts until an `all_closed` for it has
/// returned; the other end does not say by itself that none is left. Beyond it
/// [`Error::QueueFull`](crate::Error::QueueFull).
pub const CONNECTION_KEYS_LIMIT: usize = 1024;

/// Length of such a key, at most. Beyond it [`Error::Io`](crate::Error::Io).
pub const CONNECTION_KEY_BYTES: usize = 256;

/// Events or messages that wait for the user, at most. Beyond it the newest are dropped and counted, and
/// the count is the next thing that the user is told. So are messages beyond [`EVENTS_BYTES`], and those that come
/// with a socket while such sockets are a quarter of the descriptors that this process may have open.
pub const EVENTS_LIMIT: usize = 65_536;

/// Bytes of messages that wait for the user, at most; see [`EVENTS_LIMIT`].
pub const EVENTS_BYTES: usize = 64 * 1024 * 1024;
