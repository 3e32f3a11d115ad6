//! What can become of an attempt.

use std::fmt;
use std::str::FromStr;

/// The one class that an attempt belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A whole answer with a status from 200 to 299.
    Ok,
    /// Nobody listens there.
    Refused,
    /// Reset before a byte of the answer came.
    Reset,
    /// Closed in order before a byte of the answer came.
    EofWithoutAnswer,
    /// The connection did not come about in the time that one try has: nobody takes it out of the accept queue, or that
    /// is full.
    NeverConnected,
    /// Connected, and no whole answer in the time that one try has: the client hangs, or is answered too late. Part of
    /// an answer may have come.
    Timeout,
    /// The answer began, and the connection ended, in order or by a reset, before the answer was whole.
    Partial,
    /// A whole answer with another status, or bytes that are no HTTP answer.
    BadResponse,
    /// Sent on a kept-alive connection that the server ended without a byte: client and server acted at once. HTTP/1.1
    /// cannot avoid it unless the server announces the close, so it is no failure, but it is never hidden.
    Raced,
}

/// A name that is no [`Outcome`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOutcome(String);

impl Outcome {
    /// Every class, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Refused,
        Self::Reset,
        Self::EofWithoutAnswer,
        Self::NeverConnected,
        Self::Timeout,
        Self::Partial,
        Self::BadResponse,
        Self::Raced,
    ];

    /// The name in reports and flags.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::EofWithoutAnswer => "eof_without_answer",
            Self::NeverConnected => "never_connected",
            Self::Timeout => "timeout",
            Self::Partial => "partial",
            Self::BadResponse => "bad_response",
            Self::Raced => "raced",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|outcome| outcome.name() == text);
        found.ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no class of attempts is called {:?}; there are", self.0)?;
        Outcome::ALL.iter().try_for_each(|outcome| write!(f, " {outcome}"))
    }
}

impl std::error::Error for UnknownOutcome {}
