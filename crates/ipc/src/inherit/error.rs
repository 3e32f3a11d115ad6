//! Why an inherited channel could not be taken over, and who is to change something.

use std::ffi::OsString;
use std::fmt;
use std::io;

/// A channel that was announced and could not be taken, or a claim at the wrong time.
#[derive(Debug)]
#[non_exhaustive]
pub enum InheritError {
    /// This process has claimed before. The program's fault.
    AlreadyClaimed,
    /// This many threads run already, one is allowed. The program's fault: the claim belongs at
    /// the top of `main`, before any runtime.
    ThreadsRunning(usize),
    /// `/proc/self/task` cannot be read, so nothing proves that no other thread runs.
    ThreadsUnknown(io::Error),
    /// The parent wants V8's binary format on the channel. The parent's fault.
    AdvancedSerialization(OsString),
    /// A variable holds something else than a number that can be. The parent's fault.
    BadNumber {
        /// The variable.
        variable: &'static str,
        /// What it holds.
        value: OsString,
    },
    /// The descriptor that a variable names is not what it must be. The fault of the parent, or of
    /// a program in between that passed the environment on and not the descriptor.
    BadDescriptor {
        /// The variable.
        variable: &'static str,
        /// The descriptor.
        fd: i32,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for InheritError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyClaimed => write!(f, "the inherited channel was claimed before"),
            Self::ThreadsRunning(count) => write!(
                f,
                "the inherited channel must be claimed at the top of main, before any other \
                 thread or runtime starts: {count} threads run already"
            ),
            Self::ThreadsUnknown(error) => {
                write!(f, "whether other threads run already cannot be seen: {error}")
            }
            Self::AdvancedSerialization(mode) => write!(
                f,
                "NODE_CHANNEL_SERIALIZATION_MODE is {mode:?}: the parent chose that for the channel, \
                 and this program speaks \"json\" alone; in the parent, set \
                 serialization: 'json', Node's default"
            ),
            Self::BadNumber { variable, value } => {
                write!(f, "{variable} is {value:?}, which is no such number")
            }
            Self::BadDescriptor { variable, fd, reason } => {
                write!(f, "{variable} names descriptor {fd}, which is {reason}")
            }
            Self::System(error) => write!(f, "the inherited channel cannot be taken: {error}"),
        }
    }
}

impl std::error::Error for InheritError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ThreadsUnknown(error) | Self::System(error) => Some(error),
            Self::AlreadyClaimed
            | Self::ThreadsRunning(_)
            | Self::AdvancedSerialization(_)
            | Self::BadNumber { .. }
            | Self::BadDescriptor { .. } => None,
        }
    }
}

impl From<InheritError> for io::Error {
    fn from(error: InheritError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error)
    }
}
