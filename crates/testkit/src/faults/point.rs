//! Where in its conversation with the primary a worker dies.

use std::fmt;
use std::str::FromStr;

/// How far a worker had come with its first connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// It has said its first word, and does not listen yet.
    Starting,
    /// The connection lies in its lane or channel.
    Offered,
    /// It has received the connection and not answered for it; that holds up to [`Whole`](Self::Whole).
    Received,
    /// It has looked at what the client sent and left it there (MSG_PEEK).
    Peeked,
    /// It has read a byte, where there was one.
    Read,
    /// It has written a part of the answer, which the kernel still holds back (TCP_CORK), and read nothing.
    Corked,
    /// It has read what was there and written a part of the answer.
    Part,
    /// It has written the whole answer.
    Whole,
    /// It has received the connection, and was told to leave.
    Draining,
    /// It has answered for the connection and read nothing.
    Taken,
    /// It has answered, read, and written a part.
    TakenPart,
    /// It has answered, read, and written all.
    TakenWhole,
}

/// How much of its answer a worker writes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// Nothing.
    Nothing,
    /// The first bytes, which the kernel does not send yet.
    Corked,
    /// The first bytes.
    Part,
    /// All.
    Whole,
}

/// A text that names no [`Point`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPoint(String);

impl Point {
    /// Every point, in the order of a conversation.
    pub const ALL: [Self; 12] = [
        Self::Starting,
        Self::Offered,
        Self::Received,
        Self::Peeked,
        Self::Read,
        Self::Corked,
        Self::Part,
        Self::Whole,
        Self::Draining,
        Self::Taken,
        Self::TakenPart,
        Self::TakenWhole,
    ];

    /// The name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Offered => "offered",
            Self::Received => "received",
            Self::Peeked => "peeked",
            Self::Read => "read",
            Self::Corked => "corked",
            Self::Part => "part",
            Self::Whole => "whole",
            Self::Draining => "draining",
            Self::Taken => "taken",
            Self::TakenPart => "taken-part",
            Self::TakenWhole => "taken-whole",
        }
    }

    /// Whether the primary was told that the worker has the connection.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Taken | Self::TakenPart | Self::TakenWhole)
    }

    /// What the client was sent by then.
    #[must_use]
    pub const fn writes(self) -> Writes {
        match self {
            Self::Corked => Writes::Corked,
            Self::Part | Self::TakenPart => Writes::Part,
            Self::Whole | Self::TakenWhole => Writes::Whole,
            Self::Starting
            | Self::Offered
            | Self::Received
            | Self::Peeked
            | Self::Read
            | Self::Draining
            | Self::Taken => Writes::Nothing,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Point {
    type Err = UnknownPoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|point| point.name() == text);
        found.ok_or_else(|| UnknownPoint(text.to_owned()))
    }
}

impl fmt::Display for UnknownPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no point is called {:?}; there are", self.0)?;
        Point::ALL.iter().try_for_each(|point| write!(f, " {point}"))
    }
}

impl std::error::Error for UnknownPoint {}
