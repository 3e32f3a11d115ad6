//! What ends a lane, and how a record can be wrong.

use std::error::Error;
use std::fmt;
use std::io;

use super::{Blame, is_peer_gone};

/// The end of a lane, other than an orderly one, or a wrong call.
#[derive(Debug)]
pub enum LaneError {
    /// The peer sent a record that breaks the lane's layout. Its descriptors are closed.
    PeerMisbehaved(LaneOffence),
    /// The caller gave an empty or too long batch, or another number of descriptors than of records.
    BadBatch,
    /// The peer has closed its end: nothing can be written any more. What it wrote before can still be read.
    PeerGone,
    /// The kernel refused.
    System(io::Error),
}

impl LaneError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::PeerMisbehaved(_) => Blame::Peer,
            Self::BadBatch => Blame::Caller,
            Self::PeerGone | Self::System(_) => Blame::System,
        }
    }
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerMisbehaved(offence) => write!(f, "the peer broke the lane: {offence}"),
            Self::BadBatch => f.write_str("failed to send: empty, too long or uneven batch"),
            Self::PeerGone => f.write_str("failed to write: the peer has closed the lane"),
            Self::System(_) => f.write_str("failed to use the lane"),
        }
    }
}

impl Error for LaneError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::PeerMisbehaved(source) => Some(source),
            Self::System(source) => Some(source),
            Self::BadBatch | Self::PeerGone => None,
        }
    }
}

impl From<io::Error> for LaneError {
    fn from(error: io::Error) -> Self {
        if is_peer_gone(&error) { Self::PeerGone } else { Self::System(error) }
    }
}

impl From<LaneError> for io::Error {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::System(source) => source,
            LaneError::PeerGone => Self::new(io::ErrorKind::BrokenPipe, error),
            LaneError::BadBatch => Self::new(io::ErrorKind::InvalidInput, error),
            LaneError::PeerMisbehaved(_) => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}

/// How a record broke the lane's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneOffence {
    /// Shorter than a header, longer than the longest record, or not as long as its count says.
    Length,
    /// A version of the layout that this end does not speak.
    Version(u8),
    /// A kind of record that does not exist or does not go in this direction.
    Kind(u8),
    /// A count of zero or above the batch limit.
    Count(u16),
    /// A verdict that does not exist.
    Verdict(u8),
    /// More or fewer descriptors than records, although none was lost on the way.
    Descriptors,
}

impl fmt::Display for LaneOffence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("record of a wrong length"),
            Self::Version(version) => write!(f, "unknown version {version}"),
            Self::Kind(kind) => write!(f, "unknown or misdirected kind {kind}"),
            Self::Count(count) => write!(f, "count of {count}"),
            Self::Verdict(verdict) => write!(f, "unknown verdict {verdict}"),
            Self::Descriptors => f.write_str("wrong number of descriptors"),
        }
    }
}

impl Error for LaneOffence {}
