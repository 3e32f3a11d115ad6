//! Spans of time on the command line: `10`, `10s`, `500ms`, `2m`.

use std::time::Duration;

use crate::output::words::{supervision, usage};

/// The longest span that an option takes: one day. Beyond it a number is almost surely milliseconds by mistake.
pub(crate) const MAX_SPAN: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest age that a worker can be given: a year.
const MAX_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Reads a whole number with an optional unit; seconds when there is none.
///
/// # Errors
/// The reason in words when it is not a span or longer than [`MAX_SPAN`].
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis_per_unit = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(usage::span_unknown()),
    };
    if number.is_empty() {
        return Err(usage::span_unknown());
    }
    // A number with more digits than u64 holds is longer than a day in every unit.
    let number: u64 = number.parse().map_err(|_| usage::span_too_long())?;
    let span = Duration::from_millis(number.saturating_mul(millis_per_unit));
    if span > MAX_SPAN { Err(usage::span_too_long()) } else { Ok(span) }
}

/// As [`parse`], of at least so many milliseconds.
///
/// # Errors
/// As there, and when it is shorter.
pub(crate) fn at_least<const MILLIS: u64>(text: &str) -> Result<Duration, String> {
    let (span, least) = (parse(text)?, Duration::from_millis(MILLIS));
    if span < least { Err(supervision::span_too_short(least)) } else { Ok(span) }
}

/// Reads how old something may become: 1 s to [`MAX_AGE`], with `d` for days too.
///
/// # Errors
/// The reason in words.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    let days = days.and_then(|it| it.parse::<u16>().ok());
    let span = match days {
        Some(days) => Some(MAX_SPAN.saturating_mul(days.into())),
        None => parse(text).ok(),
    };
    let range = Duration::from_secs(1)..=MAX_AGE;
    span.filter(|span| range.contains(span)).ok_or_else(supervision::age_unreadable)
}

/// Writes a span as [`parse`] reads it.
pub(crate) fn spell(span: Duration) -> String {
    match span.as_millis() {
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_number_is_seconds_and_units_are_understood() {
        assert_eq!(parse("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("24h"), Ok(MAX_SPAN));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
    }

    #[test]
    fn a_span_is_written_as_it_is_read() {
        for text in ["0s", "2s", "500ms", "1500ms", "120s"] {
            assert_eq!(spell(parse(text).unwrap()), text);
        }
    }

    #[test]
    fn an_age_has_days_and_a_span_may_have_a_least() {
        for (text, hours) in [("12h", 12), ("1d", 24), ("7d", 168), ("365d", 8_760)] {
            assert_eq!(age(text), Ok(Duration::from_secs(hours * 3_600)), "{text}");
        }
        for text in ["", "d", "0", "0d", "999ms", "366d", "99999d", "-1d", "+1d", "25h"] {
            assert_eq!(age(text), Err(supervision::age_unreadable()), "{text}");
        }
        let least = Duration::from_secs(1);
        assert_eq!(at_least::<1_000>("1s"), Ok(least));
        assert_eq!(at_least::<1_000>("999ms"), Err(supervision::span_too_short(least)));
    }

    #[test]
    fn what_is_not_a_span_is_refused() {
        for text in ["", "s", "-1", "1.5", "10 s", "10d", "١s"] {
            assert_eq!(parse(text), Err(usage::span_unknown()), "{text}");
        }
        for text in ["25h", "99999999999999999999", "18446744073709551615h"] {
            assert_eq!(parse(text), Err(usage::span_too_long()), "{text}");
        }
    }
}
