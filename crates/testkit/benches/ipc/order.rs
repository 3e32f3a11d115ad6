//! What a pair of processes is told, by a line, and what it answers: `HOW MS` and `DONE COUNT NANOSECONDS`.

use std::fmt;
use std::io::{self, Write as _};
use std::str::FromStr;
use std::time::Duration;

use crate::Failure;

/// What is sent in a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// So many descriptors in each message of a primary.
    Descriptors(usize),
    /// Messages of a worker, made of a JSON value and read as one.
    Values,
    /// The same, made of a struct and read as one that borrows.
    Typed,
    /// Each is written before the next is made; values.
    OneByOne,
    /// Each is answered before the next is made; values.
    Trips,
}

/// One slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    pub(crate) how: How,
    pub(crate) time: Duration,
}

/// What it brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) count: u64,
    pub(crate) elapsed: Duration,
}

/// The line of a pair that is up.
pub(crate) const READY: &str = "READY";

/// How an answer begins.
const DONE: &str = "DONE";

impl Order {
    /// The orders that come by standard input.
    pub(crate) fn all() -> impl Iterator<Item = Result<Self, Failure>> {
        io::stdin().lines().map(|line| line?.parse())
    }
}

impl Done {
    pub(crate) fn is_said_by(line: &str) -> bool {
        line.starts_with(DONE)
    }

    /// Says it.
    pub(crate) fn say(self) -> io::Result<()> {
        writeln!(io::stdout(), "{DONE} {} {}", self.count, self.elapsed.as_nanos())
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { how, time } = self;
        match how {
            How::Descriptors(count) => write!(f, "{count}")?,
            How::Values => f.write_str("values")?,
            How::Typed => f.write_str("typed")?,
            How::OneByOne => f.write_str("one-by-one")?,
            How::Trips => f.write_str("trips")?,
        }
        write!(f, " {}", time.as_millis())
    }
}

impl FromStr for Order {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let (how, time) = line.split_once(' ').ok_or_else(|| format!("no order: {line:?}"))?;
        let how = match how {
            "values" => How::Values,
            "typed" => How::Typed,
            "one-by-one" => How::OneByOne,
            "trips" => How::Trips,
            count => How::Descriptors(count.parse()?),
        };
        Ok(Self { how, time: Duration::from_millis(time.trim().parse()?) })
    }
}

impl FromStr for Done {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let mut words = line.split_whitespace().skip(1);
        let mut number = || words.next().unwrap_or_default().parse::<u64>();
        Ok(Self { count: number()?, elapsed: Duration::from_nanos(number()?) })
    }
}
