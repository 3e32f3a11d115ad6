//! `--answer-within`: a time, or none, as written.

use std::time::Duration;

use crate::args::span;
use crate::output::words::supervision as words;

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// For ever.
    Off,
    /// So long.
    After(Duration),
}

impl Deadline {
    /// The time, if there is one.
    pub(crate) const fn time(self) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::After(time) => Some(time),
        }
    }
}

/// Reads `off`, or a time of at least a second: a shorter one would be a pause of the primary as often as one of a
/// worker.
///
/// # Errors
/// The reason in words.
pub(super) fn parse(text: &str) -> Result<Deadline, String> {
    match text {
        "off" => Ok(Deadline::Off),
        _ => match span::at_least::<1_000>(text) {
            Ok(time) => Ok(Deadline::After(time)),
            Err(reason) => Err(words::or_off(&reason)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_or_off_is_understood() {
        assert_eq!(parse("off"), Ok(Deadline::Off));
        assert_eq!(parse("5s"), Ok(Deadline::After(Duration::from_secs(5))));
        for text in ["0", "10ms", "never", "OFF"] {
            assert!(parse(text).unwrap_err().ends_with(", or `off`"), "{text}");
        }
    }
}
