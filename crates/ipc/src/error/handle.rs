//! Received descriptors that are not what their messages say.

use std::error::Error;
use std::fmt;
use std::io;

use super::Blame;

/// A received descriptor that is not what its message says. Always the peer's fault, except
/// [`System`](HandleError::System).
#[derive(Debug)]
pub enum HandleError {
    /// The descriptor is something else.
    Unexpected {
        /// What the message announced.
        expected: &'static str,
        /// What arrived.
        arrived: String,
    },
    /// The kernel refused to tell what it is, or to use it.
    System(io::Error),
}

impl HandleError {
    /// Whose fault it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        match self {
            Self::Unexpected { .. } => Blame::Peer,
            Self::System(_) => Blame::System,
        }
    }
}

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { expected, arrived } => {
                write!(f, "the peer sent {arrived} instead of {expected}")
            }
            Self::System(_) => f.write_str("failed to look at the received descriptor"),
        }
    }
}

impl Error for HandleError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(source) => Some(source),
            Self::Unexpected { .. } => None,
        }
    }
}

impl From<io::Error> for HandleError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<HandleError> for io::Error {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::System(source) => source,
            HandleError::Unexpected { .. } => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
