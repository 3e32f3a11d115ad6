//! Names of PM2 that are answered with ours. Its plain numbers are milliseconds and ours are seconds, so a value is
//! translated for the reader and not taken: an option with PM2's name and another unit would be a trap.

use std::time::Duration;

use crate::output::words::supervision as words;

/// # Errors
/// Always: with what to write in its place.
pub(super) fn kill_timeout(text: &str) -> Result<Duration, String> {
    Err(words::pm2_kill_timeout(&in_our_words(text)))
}

/// # Errors
/// As that.
pub(super) fn listen_timeout(text: &str) -> Result<Duration, String> {
    Err(words::pm2_name("--start-deadline", &in_our_words(text)))
}

fn in_our_words(text: &str) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { format!("{text}ms") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_our_option_with_the_unit_that_was_meant() {
        let answer = kill_timeout("1600").unwrap_err();
        assert!(answer.contains("`--grace 1600ms`") && answer.contains("--kill-after"), "{answer}");
        assert!(kill_timeout("5s").unwrap_err().contains("`--grace 5s`"));
        assert!(listen_timeout("8000").unwrap_err().contains("`--start-deadline 8000ms`"));
    }
}
