//! Why a socket could not be had, and which call said so.

use std::io;

/// A refusal of the system.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) call: Call,
    pub(crate) source: io::Error,
}

/// The call that refused, in Node's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Finding the address of a name.
    Resolve,
    /// Making a socket and giving it its address; also all that the primary refuses, as in Node.
    Bind,
    /// Making it listen.
    Listen,
}

impl Call {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Resolve => "getaddrinfo",
            Self::Bind => "bind",
            Self::Listen => "listen",
        }
    }

    pub(crate) fn refused(self, source: impl Into<io::Error>) -> Refused {
        Refused { call: self, source: source.into() }
    }
}

impl From<io::Error> for Refused {
    fn from(source: io::Error) -> Self {
        Call::Bind.refused(source)
    }
}
