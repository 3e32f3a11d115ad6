//! Sizes and numbers of what a worker may have, as written.

use std::str::FromStr;

use crate::args::MAX_WORKERS;
use crate::output::words::supervision as words;

/// The least memory that a worker can be limited to, in bytes: no process lives in less.
pub(super) const MIN_MEMORY: u64 = 1 << 20;

/// The most, in bytes: 64 TiB, more than a process can address on most machines.
pub(super) const MAX_MEMORY: u64 = 64 << 40;

/// The most probes that may fail in a row.
pub(super) const MAX_FAILURES: u32 = 1_000;

/// Units of 1024, as PM2 has them.
const UNITS: [(char, u32); 4] = [('k', 10), ('m', 20), ('g', 30), ('t', 40)];

/// Reads a size in bytes: a whole number with K, M, G or T.
///
/// # Errors
/// The reason in words: no size, or out of [`MIN_MEMORY`] to [`MAX_MEMORY`].
pub(super) fn memory(text: &str) -> Result<u64, String> {
    let lower = text.to_ascii_lowercase();
    let unit = UNITS.iter().find_map(|(unit, shift)| Some((lower.strip_suffix(*unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((&lower, 0));
    let number: u64 = whole(digits).ok_or_else(words::size_unreadable)?;
    let bytes = number.saturating_mul(1 << shift);
    if (MIN_MEMORY..=MAX_MEMORY).contains(&bytes) { Ok(bytes) } else { Err(words::size_refused()) }
}

/// Reads how many connections a worker may take: at least one.
///
/// # Errors
/// The reason in words.
pub(super) fn connections(text: &str) -> Result<u64, String> {
    whole(text).filter(|number| *number > 0).ok_or_else(words::connections_refused)
}

/// Reads a number of workers: 0 to [`MAX_WORKERS`].
///
/// # Errors
/// The reason in words.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    let limit = usize::from(MAX_WORKERS);
    let number = whole(text).filter(|number| *number <= limit);
    number.ok_or_else(|| words::workers_refused(MAX_WORKERS))
}

/// Reads how many probes may fail in a row: 1 to [`MAX_FAILURES`].
///
/// # Errors
/// The reason in words.
pub(super) fn failures(text: &str) -> Result<u32, String> {
    let number = whole(text).filter(|number| (1..=MAX_FAILURES).contains(number));
    number.ok_or_else(|| words::failures_refused(MAX_FAILURES))
}

/// Reads a status that a process can end with (`exit(3)`).
///
/// # Errors
/// The reason in words.
pub(super) fn exit_code(text: &str) -> Result<i32, String> {
    whole::<u8>(text).map(i32::from).ok_or_else(words::code_refused)
}

/// A number of digits alone: no sign, no spaces.
fn whole<N: FromStr>(text: &str) -> Option<N> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit_of_1024() {
        for (text, bytes) in [
            ("200M", 200 << 20),
            ("200m", 200 << 20),
            ("2048K", 2 << 20),
            ("1G", 1 << 30),
            ("64T", MAX_MEMORY),
            ("1048576", MIN_MEMORY),
        ] {
            assert_eq!(memory(text), Ok(bytes), "{text}");
        }
        for text in ["", "M", "1.5G", "-1G", "+1G", "1 G", "1GG", "much", "1X"] {
            assert_eq!(memory(text), Err(words::size_unreadable()), "{text}");
        }
        for text in ["0", "200", "1023K", "65T", "18446744073709551615T"] {
            assert_eq!(memory(text), Err(words::size_refused()), "{text}");
        }
    }

    #[test]
    fn numbers_have_their_ranges() {
        assert_eq!((connections("1"), workers("0"), workers("1024")), (Ok(1), Ok(0), Ok(1024)));
        assert_eq!((failures("1"), exit_code("0"), exit_code("255")), (Ok(1), Ok(0), Ok(255)));
        for text in ["", "0", "-1", "1e3", "18446744073709551616"] {
            assert_eq!(connections(text), Err(words::connections_refused()), "{text}");
        }
        for text in ["", "1025", "-1", "25%"] {
            assert_eq!(workers(text), Err(words::workers_refused(1024)), "{text}");
        }
        for text in ["", "0", "1001"] {
            assert_eq!(failures(text), Err(words::failures_refused(1_000)), "{text}");
        }
        for text in ["", "-1", "256", "SIGTERM"] {
            assert_eq!(exit_code(text), Err(words::code_refused()), "{text}");
        }
    }
}
