//! The words of the primary while the crew runs. They go to stderr, each line after `portcrew: `.

use std::fmt::Display;
use std::time::Duration;

use portcrew::ListenerName;

use super::{count, of};

/// What stands before each line of the primary itself.
pub(crate) const PREFIX: &str = "portcrew: ";

pub(crate) fn started(name: &str, workers: usize, policy: &str) -> String {
    format!("{name}: {}, {policy}", of(workers as u64, "worker"))
}

pub(crate) fn listening(address: &dyn Display) -> String {
    format!("listening on {address}")
}

pub(crate) fn is_ready(worker: &dyn Display) -> String {
    format!("worker {worker} is ready")
}

/// A listener of the worker's own, on a port that several can bind.
pub(crate) fn self_bound(worker: &dyn Display, address: &dyn Display) -> String {
    format!(
        "worker {worker} binds {address} by itself; connections are spread by the kernel (SO_REUSEPORT), --policy \
         does not apply"
    )
}

/// A listener of the worker's own, on a path.
pub(crate) fn self_bound_path(worker: &dyn Display, address: &dyn Display) -> String {
    format!(
        "worker {worker} binds {address} by itself; no other worker can have it, --policy does not apply"
    )
}

pub(crate) fn gone(worker: &dyn Display, how: &str) -> String {
    format!("worker {worker} {how}")
}

pub(crate) fn replaced_later(worker: &dyn Display, how: &str, delay: Duration) -> String {
    format!("worker {worker} {how}; a new one starts in {}", span(delay))
}

pub(crate) fn somebody_replaced_later(how: &str, delay: Duration) -> String {
    format!("a worker {how}; a new one starts in {}", span(delay))
}

pub(crate) fn failed_probes(count: u32) -> String {
    format!("failed {count} probes in a row")
}

pub(crate) fn owed_an_answer(wait: Duration) -> String {
    format!("left a connection unanswered for {}", span(wait))
}

pub(crate) fn gave_no_sign(wait: Duration) -> String {
    format!("gave no sign of life for {}", span(wait))
}

pub(crate) fn gave_no_beat(wait: Duration) -> String {
    format!("has not run for {}: it was asked on its lane, and has not answered", span(wait))
}

pub(crate) fn is_old(age: Duration) -> String {
    format!("has lived for {}", span(age))
}

pub(crate) fn was_used(connections: u64) -> String {
    format!("has taken {connections} connections")
}

pub(crate) fn is_large(bytes: u64) -> String {
    format!("has {} MiB of memory", bytes / (1024 * 1024))
}

pub(crate) fn recycling(worker: &dyn Display, why: &str) -> String {
    format!("worker {worker} {why}: it is being replaced")
}

pub(crate) fn recycled(worker: &dyn Display) -> String {
    format!("worker {worker} has its successor and leaves")
}

pub(crate) fn not_recycled(worker: &dyn Display, how: &str) -> String {
    format!("worker {worker} serves on: {how}; another one is tried later")
}

pub(crate) fn retired(slot: &dyn Display, worker: &dyn Display, code: i32) -> String {
    format!(
        "worker {worker} exited with status {code}, after which slot {slot} gets no other before the next reload"
    )
}

pub(crate) fn all_retired(code: i32) -> String {
    format!("every worker has ended for good, the last with status {code}")
}

pub(crate) fn exited(code: i32) -> String {
    format!("exited with status {code}")
}

pub(crate) fn killed_by(signal: i32) -> String {
    format!("was ended by {}", signal_name(signal))
}

pub(crate) fn not_listening(worker: &dyn Display, deadline: Duration) -> String {
    format!(
        "worker {worker} does not listen, {} after its start. It goes on. Its output may say why. If it serves all \
         the same, it has bound its port without a word on its channel (`exclusive`, `reusePort`, Bun.serve, \
         Deno.serve): `ss -ltnp` shows that; no policy applies to it, and a reload would wait for it in vain",
        span(deadline)
    )
}

pub(crate) fn address_in_use(address: &dyn Display) -> String {
    format!(
        "{address} belongs to another process. Stop that one or choose another port; `ss -ltnp` shows who has it"
    )
}

pub(crate) fn cannot_listen(
    worker: &dyn Display,
    address: &dyn Display,
    reason: &dyn Display,
) -> String {
    format!("worker {worker} cannot listen on {address}: {reason}")
}

pub(crate) fn may_not_listen(
    worker: &dyn Display,
    address: &dyn Display,
    lacks: &ListenerName,
) -> String {
    let how = match as_option(lacks) {
        Some(name) => format!("allow it with --allow {name}"),
        None => "--allow takes no path with a comma, and one with blanks or other signs in quotes; is that path \
                 meant?"
            .to_owned(),
    };
    format!(
        "worker {worker} asked for {address}, which its own user may not have, and was refused; {how}"
    )
}

/// The name as it can be typed. The worker has chosen it, and what stands here is put into a shell: of root, at that.
fn as_option(lacks: &ListenerName) -> Option<String> {
    let ListenerName::Path(path) = lacks else {
        return Some(lacks.to_string());
    };
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+@%".contains(it);
    // Without a slash in it, it would be no path, and with a dash before it another option.
    let before = if path.starts_with(['/', '.']) && path.contains('/') { "" } else { "./" };
    (!path.is_empty() && path.chars().all(is_plain)).then(|| format!("{before}{path}"))
}

/// Of what was said for many addresses, there are more: `text` is what would be said of the next.
pub(crate) fn further_ones(text: &str) -> String {
    format!("{text}. Further ones are not said here: they are in --events")
}

pub(crate) fn misbehaved(worker: &dyn Display) -> String {
    format!("worker {worker} broke the protocol of its channel too often; the channel was closed")
}

pub(crate) fn about(worker: &dyn Display, error: &dyn Display) -> String {
    format!("worker {worker}: {error}")
}

pub(crate) fn degraded() -> String {
    "workers die too often before they listen; one at a time is tried from here on".to_owned()
}

pub(crate) fn canary(delay: Duration) -> String {
    format!("one worker is tried in {}", span(delay))
}

pub(crate) fn recovered() -> String {
    "a worker listens again; the others are started too".to_owned()
}

pub(crate) fn made_to_leave(worker: &dyn Display, signal: i32) -> String {
    format!("worker {worker} has not left; it gets {}", signal_name(signal))
}

pub(crate) fn gave_up_listening(why: Option<&str>) -> String {
    format!("gave up: {}", why.unwrap_or("another try would find the address as it is"))
}

pub(crate) fn is_taken(address: &dyn Display) -> String {
    format!("another try would find {address} taken as well")
}

/// The primary itself may not have the address.
pub(crate) fn needs_rights(address: &dyn Display) -> String {
    format!(
        "this user may not have {address}. A port below 1024 needs CAP_NET_BIND_SERVICE (systemd: \
         AmbientCapabilities=), or root with --uid and --allow; else choose another"
    )
}

/// Workers may not, and the primary could.
pub(crate) fn needs_leave(address: &dyn Display, lacks: &dyn Display) -> String {
    format!("the workers' user may not have {address} without --allow {lacks}")
}

pub(crate) fn unkillable(worker: &dyn Display) -> String {
    format!(
        "worker {worker} was killed and has not ended; only the kernel can end it now, so it is waited for no longer"
    )
}

pub(crate) fn program_cannot_start() -> String {
    "gave up: the program cannot be started".to_owned()
}

pub(crate) fn crew_failed(deaths: u64, span_of_deaths: Duration) -> String {
    format!(
        "gave up: {} of workers within {}. Their last output says why",
        of(deaths, "death"),
        span(span_of_deaths)
    )
}

pub(crate) fn told_from_above(grace: Duration) -> String {
    format!("told to leave by the crew above; stopping: {} for open connections", span(grace))
}

pub(crate) fn stopping(grace: Duration) -> String {
    format!("stopping: {} for open connections; a second signal stops at once", span(grace))
}

pub(crate) fn hung_up(grace: Duration) -> String {
    format!("the terminal has gone away; stopping: {} for open connections", span(grace))
}

pub(crate) fn forced(killed: usize) -> String {
    format!("stopped by force: {} killed", of(killed as u64, "worker"))
}

pub(crate) fn stopped() -> String {
    "stopped".to_owned()
}

pub(crate) fn reload_started() -> String {
    "reload: replacing the workers one by one, new before old".to_owned()
}

pub(crate) fn reload_progress(replaced: usize, of: usize) -> String {
    format!("reload: {replaced} of {} replaced", count(of as u64))
}

pub(crate) fn reload_done(took: Duration) -> String {
    format!("reload: done in {}", span(took))
}

pub(crate) fn reload_rolled_back(reason: &dyn Display) -> String {
    format!("reload: rolled back, the old workers go on: {reason}")
}

/// A second wish for a reload while one runs: `is_this` when that one is the answer to it.
pub(crate) fn reload_merged(is_this: bool) -> String {
    if is_this {
        "reload: one has just begun and started nobody yet; it is the answer to this signal too"
            .to_owned()
    } else {
        "reload: one is under way; another follows when it is over".to_owned()
    }
}

pub(crate) fn new_worker(worker: Option<&dyn Display>, how: &str) -> String {
    match worker {
        Some(worker) => format!("new worker {worker} {how}"),
        None => format!("a new worker {how}"),
    }
}

pub(crate) fn was_late(deadline: Duration) -> String {
    format!("was not ready within {}", span(deadline))
}

pub(crate) fn got_no_listener(reason: &dyn Display) -> String {
    format!("could not listen: {reason}")
}

pub(crate) fn left() -> String {
    "left".to_owned()
}

pub(crate) fn broke_protocol() -> String {
    "broke the protocol of its channel".to_owned()
}

pub(crate) fn did_not_start() -> String {
    "could not be started".to_owned()
}

pub(crate) fn is_not_there() -> String {
    "could not be started: its program is not there, or cannot be executed".to_owned()
}

pub(crate) fn not_restored(slot: &dyn Display, how: &str) -> String {
    format!(
        "the old program does not run again in slot {slot}: its worker {how}. Old workers that still run stay"
    )
}

pub(crate) fn crew_is_stopped() -> String {
    "the crew is told to stop".to_owned()
}

pub(crate) fn last_words(line: &str) -> String {
    format!("  {line}")
}

pub(crate) fn resized(workers: usize) -> String {
    format!("{} wanted now", of(workers as u64, "worker"))
}

pub(crate) fn resize_refused(workers: usize) -> String {
    format!("{} is the limit; nothing changed", of(workers as u64, "worker"))
}

pub(crate) fn events_dropped(events: u64) -> String {
    format!("… {} dropped: they came faster than they could be told", of(events, "event"))
}

pub(crate) fn lines_dropped(lines: u64) -> String {
    format!("… {} dropped: this output was not read", of(lines, "line"))
}

pub(crate) fn lines_lost(lines: u64) -> String {
    format!("… {} lost: there was no room for this output", of(lines, "line"))
}

pub(crate) fn demo_open(address: &dyn Display) -> String {
    format!("open http://{address}/ or run `curl http://{address}/` a few times; Ctrl-C stops")
}

pub(crate) fn demo_count(worker: &dyn Display, connections: u64) -> String {
    format!("worker {worker}: {}", count(connections))
}

pub(crate) fn demo_counts(total: u64, each: &str) -> String {
    format!("{} so far; {each}", of(total, "connection"))
}

/// `SIGKILL` and its like; those without a name go by their number.
pub(crate) fn signal_name(signal: i32) -> String {
    portcrew::Signal::from_number(signal).to_string()
}

/// `500 ms`, `10 s`, `2 min`, `1.5 s`: the largest unit in which the span is short to read.
pub(crate) fn span(span: Duration) -> String {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    if millis < 1_000 {
        format!("{millis} ms")
    } else if millis % 60_000 == 0 {
        format!("{} min", count(millis / 60_000))
    } else if millis % 1_000 < 100 {
        format!("{} s", count(millis / 1_000))
    } else {
        format!("{}.{} s", count(millis / 1_000), millis % 1_000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_that_allows_a_listener_can_be_typed_as_it_stands_or_is_left_out() {
        let path = |it: &str| as_option(&ListenerName::Path(it.to_owned()));
        assert_eq!(as_option(&ListenerName::Port(80)).as_deref(), Some("80"));
        assert_eq!(as_option(&ListenerName::Fd(5)).as_deref(), Some("fd:5"));
        for (name, typed) in [
            ("app.sock", "./app.sock"),
            (".app.sock", "./.app.sock"),
            ("./app.sock", "./app.sock"),
            ("-v/app.sock", "./-v/app.sock"),
            ("/run/a-b_c@1.sock", "/run/a-b_c@1.sock"),
        ] {
            assert_eq!(path(name).as_deref(), Some(typed));
        }
        for name in
            ["", "/a,b", "/a b", "/a'b", "/a;reboot", "/$(reboot)", "/a\nb", "/\u{e9}", "~/a"]
        {
            assert_eq!(path(name), None, "{name}");
        }
        let denied = may_not_listen(&1, &"/a;reboot", &ListenerName::Path("/a;reboot".to_owned()));
        assert!(!denied.contains("--allow /a"), "{denied}");
    }

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
