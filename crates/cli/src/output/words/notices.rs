//! The words of the primary while the crew runs. They go to stderr, each line after `portcrew: `.

use std::fmt::Display;
use std::time::Duration;

use super::{count, of};

/// What stands before each line of the primary itself.
pub(crate) const PREFIX: &str = "portcrew: ";

pub(crate) fn started(name: &str, workers: usize, policy: &str) -> String {
    format!("{name}: {}, {policy}", of(workers as u64, "worker"))
}

pub(crate) fn listening(address: &dyn Display) -> String {
    format!("listening on {address}")
}

pub(crate) fn replaced(worker: &dyn Display, how: &str, successor: &dyn Display) -> String {
    format!("worker {worker} {how}; worker {successor} takes its place")
}

pub(crate) fn replaced_later(worker: &dyn Display, how: &str, delay: Duration) -> String {
    format!("worker {worker} {how}; a new one starts in {}", span(delay))
}

pub(crate) fn exited(code: i32) -> String {
    format!("exited with status {code}")
}

pub(crate) fn killed_by(signal: &dyn Display) -> String {
    format!("was ended by {signal}")
}

pub(crate) fn not_listening(worker: &dyn Display, deadline: Duration) -> String {
    format!(
        "worker {worker} does not listen, {} after its start",
        span(deadline)
    )
}

pub(crate) fn cannot_start(program: &dyn Display, reason: &dyn Display) -> String {
    format!("{program} cannot be started: {reason}")
}

pub(crate) fn address_in_use(address: &dyn Display) -> String {
    format!(
        "{address} belongs to another process. Stop that one or choose another port; `ss -ltnp` shows who has it"
    )
}

pub(crate) fn crew_failed(deaths: u64, span_of_deaths: Duration) -> String {
    format!(
        "gave up: {} of workers within {}. Their last output says why",
        of(deaths, "death"),
        span(span_of_deaths)
    )
}

pub(crate) fn stopping(grace: Duration) -> String {
    format!(
        "stopping: {} for open connections; a second signal stops at once",
        span(grace)
    )
}

pub(crate) fn hung_up(grace: Duration) -> String {
    format!(
        "the terminal has gone away; stopping within {}",
        span(grace)
    )
}

pub(crate) fn forced(killed: usize) -> String {
    format!("stopped by force: {} killed", of(killed as u64, "worker"))
}

pub(crate) fn stopped() -> String {
    "stopped".to_owned()
}

pub(crate) fn reload_started(workers: usize) -> String {
    format!(
        "reload: replacing {}, new before old",
        of(workers as u64, "worker")
    )
}

pub(crate) fn reload_done(took: Duration) -> String {
    format!("reload: done in {}", span(took))
}

pub(crate) fn reload_rolled_back(reason: &dyn Display) -> String {
    format!("reload: rolled back, the old workers go on: {reason}")
}

pub(crate) fn reload_already() -> String {
    "reload: one is under way; it will start over when that is done".to_owned()
}

pub(crate) fn resized(workers: usize) -> String {
    format!("{} wanted now", of(workers as u64, "worker"))
}

pub(crate) fn resize_refused(workers: usize) -> String {
    format!(
        "{} is the limit; nothing changed",
        of(workers as u64, "worker")
    )
}

pub(crate) fn lines_dropped(lines: u64) -> String {
    format!("… {} dropped: this output was not read", of(lines, "line"))
}

pub(crate) fn demo_open(address: &dyn Display) -> String {
    format!("open http://{address}/ or run `curl http://{address}/` a few times; Ctrl-C stops")
}

/// `500 ms`, `10 s`, `2 min`, `1.5 s`: the largest unit in which the span is short to read.
pub(crate) fn span(span: Duration) -> String {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if millis < 1_000 {
        format!("{millis} ms")
    } else if millis % 60_000 == 0 {
        format!("{} min", count(millis / 60_000))
    } else if millis % 1_000 == 0 {
        format!("{} s", count(millis / 1_000))
    } else {
        format!("{}.{} s", count(millis / 1_000), millis % 1_000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_naturally() {
        for (millis, text) in [
            (0, "0 ms"),
            (500, "500 ms"),
            (1_500, "1.5 s"),
            (10_000, "10 s"),
            (90_000, "90 s"),
            (120_000, "2 min"),
        ] {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
    }
}
