//! Bytes that are no frames, and lines that are no messages.

use std::error::Error;
use std::fmt;
use std::io;

use super::Blame;

/// A stream of bytes that cannot be cut into frames any further. Always the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// A frame has more bytes than allowed before its newline.
    TooLong {
        /// The limit in bytes, the newline not counted.
        limit: usize,
    },
}

impl FrameError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::TooLong { .. } => Blame::Peer,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "the peer sent a line above {limit} bytes"),
        }
    }
}

impl Error for FrameError {}

/// A line that is no message, or a value that cannot become one.
#[derive(Debug)]
pub enum MessageError {
    /// The peer's line is not UTF-8.
    NotUtf8(std::str::Utf8Error),
    /// The peer's line is not JSON.
    NotJson(serde_json::Error),
    /// An internal message of the peer has a field of the wrong type, or lacks one it cannot be without.
    Fields(serde_json::Error),
    /// A cluster message of the peer is longer than any real one.
    ClusterTooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The peer wrapped a handle message into too many others.
    NestedTooDeep,
    /// The caller's value cannot be serialised, or the caller's text is not JSON.
    Unserialisable(serde_json::Error),
    /// The caller's user message looks like an internal one (`cmd` begins with `NODE_`): the peer would obey
    /// it instead of delivering it.
    Reserved,
    /// The message is sound, but not of the type that the caller asked for.
    OtherType(serde_json::Error),
}

impl MessageError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::NotUtf8(_)
            | Self::NotJson(_)
            | Self::Fields(_)
            | Self::ClusterTooLong { .. }
            | Self::NestedTooDeep => Blame::Peer,
            Self::Unserialisable(_) | Self::Reserved | Self::OtherType(_) => Blame::Caller,
        }
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8(_) => f.write_str("the peer sent a line that is not UTF-8"),
            Self::NotJson(_) => f.write_str("the peer sent a line that is not JSON"),
            Self::Fields(_) => f.write_str("the peer sent an internal message with a wrong field"),
            Self::ClusterTooLong { length } => {
                write!(f, "the peer sent a cluster message of {length} bytes")
            }
            Self::NestedTooDeep => f.write_str("the peer nested handle messages too deep"),
            Self::Unserialisable(_) => f.write_str("failed to turn the value into JSON"),
            Self::Reserved => {
                f.write_str("failed to make a user message: its cmd is reserved (NODE_…)")
            }
            Self::OtherType(_) => f.write_str("failed to read the message as the asked type"),
        }
    }
}

impl Error for MessageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotUtf8(source) => Some(source),
            Self::NotJson(source)
            | Self::Fields(source)
            | Self::Unserialisable(source)
            | Self::OtherType(source) => Some(source),
            Self::ClusterTooLong { .. } | Self::NestedTooDeep | Self::Reserved => None,
        }
    }
}

impl From<MessageError> for io::Error {
    fn from(error: MessageError) -> Self {
        let kind = match error.blame() {
            Blame::Caller => io::ErrorKind::InvalidInput,
            Blame::Peer | Blame::System => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
