//! What ends a channel, and why a message is not taken.

use std::error::Error;
use std::fmt;
use std::io;

use super::{Blame, FrameError, is_peer_gone};

/// The end of a channel, other than an orderly one.
#[derive(Debug)]
pub enum ChannelError {
    /// The peer sent a line beyond the frame limit: the rest of the stream cannot be understood.
    FrameTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The peer has closed its end: nothing can be written any more. What it wrote before can still be read.
    PeerGone,
    /// The kernel refused. Where it lacks memory or descriptors in flight (`ENOBUFS`, `ENOMEM`,
    /// `ETOOMANYREFS`), or this process has none left to wait for room with (`EMFILE`, `ENFILE`), nothing is lost and
    /// the call may be repeated later.
    System(io::Error),
}

impl ChannelError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::FrameTooLong { .. } => Blame::Peer,
            Self::PeerGone | Self::System(_) => Blame::System,
        }
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameTooLong { limit } => write!(f, "the peer sent a line above {limit} bytes"),
            Self::PeerGone => f.write_str("failed to write: the peer has closed the channel"),
            Self::System(_) => f.write_str("failed to use the channel"),
        }
    }
}

impl Error for ChannelError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(source) => Some(source),
            Self::FrameTooLong { .. } | Self::PeerGone => None,
        }
    }
}

impl From<FrameError> for ChannelError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong { limit } => Self::FrameTooLong { limit },
        }
    }
}

impl From<io::Error> for ChannelError {
    fn from(error: io::Error) -> Self {
        if is_peer_gone(&error) { Self::PeerGone } else { Self::System(error) }
    }
}

impl From<ChannelError> for io::Error {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::System(source) => source,
            ChannelError::PeerGone => Self::new(io::ErrorKind::BrokenPipe, error),
            ChannelError::FrameTooLong { .. } => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// Why a message was not taken into the outbox. The message and its handle are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueError {
    /// As many bytes wait already as the settings allow: the peer does not read, or does not acknowledge.
    FullOfBytes {
        /// The limit in bytes.
        limit: usize,
    },
    /// As many messages wait already as the settings allow.
    FullOfMessages {
        /// The limit in messages.
        limit: usize,
    },
    /// The peer is gone, or the channel was shut down.
    Closed,
    /// The message is longer than any line may be.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A descriptor was given with a message that carries none, or none with one that does.
    HandleMismatch,
}

impl QueueError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::FullOfBytes { .. } | Self::FullOfMessages { .. } => Blame::Peer,
            Self::Closed => Blame::System,
            Self::TooLong { .. } | Self::HandleMismatch => Blame::Caller,
        }
    }
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FullOfBytes { limit } => {
                write!(f, "failed to queue: {limit} bytes wait for the peer")
            }
            Self::FullOfMessages { limit } => {
                write!(f, "failed to queue: {limit} messages wait for the peer")
            }
            Self::Closed => f.write_str("failed to queue: the channel is closed"),
            Self::TooLong { limit } => write!(f, "failed to queue: a message above {limit} bytes"),
            Self::HandleMismatch => {
                f.write_str("failed to queue: message and descriptor do not belong together")
            }
        }
    }
}

impl Error for QueueError {}

impl From<QueueError> for io::Error {
    fn from(error: QueueError) -> Self {
        let kind = match error {
            QueueError::FullOfBytes { .. } | QueueError::FullOfMessages { .. } => {
                io::ErrorKind::WouldBlock
            }
            QueueError::Closed => io::ErrorKind::BrokenPipe,
            QueueError::TooLong { .. } | QueueError::HandleMismatch => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
