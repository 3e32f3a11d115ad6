//! `--events`: what happens in the crew, one JSON object per line.
//!
//! Each has `time_ms` (milliseconds since 1970, UTC) and `event`; fields are added over time, never renamed.

use std::time::{SystemTime, UNIX_EPOCH};

use portcrew::{Diagnosis, ProcessState};
use serde::Serialize;
use serde_json::value::RawValue;

use super::harmless::harmless_json;

/// One thing that happened.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// The primary is up and about to start its workers.
    ///
    /// `policy` is what `--policy` and `NODE_CLUSTER_SCHED_POLICY` come to, written as for `--policy`.
    Setup { name: &'a str, pid: u32, workers: usize, policy: &'a str },
    /// The primary listens on an address by itself, for workers that it starts with the socket.
    Opened { address: &'a str },
    /// A worker process was started.
    Fork { worker: u64, pid: u32 },
    /// A worker's side of the channel answered.
    Online { worker: u64 },
    /// A worker listens on an address.
    Listening { worker: u64, address: &'a str },
    /// A worker is ready, where `--ready` says by what else than that it listens.
    Ready { worker: u64 },
    /// The listener that a worker has just announced is its own, and none of the primary's.
    SelfBound { worker: u64, address: &'a str },
    /// A worker sent a message of its own; it is passed on as the worker wrote it.
    Message { worker: u64, message: &'a RawValue, has_handle: bool },
    /// A worker's channel has ended.
    Disconnect { worker: u64 },
    /// A worker process has ended, with a status or by a signal; `asked` when the primary or the worker wanted it, and
    /// with `core` where the kernel has kept one.
    Exit {
        worker: u64,
        code: Option<i32>,
        signal: Option<&'a str>,
        asked: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        core: Option<bool>,
    },
    /// So many connections were open in a worker that ended; `null` where nobody counts them.
    DiedInside { worker: u64, open: Option<u32>, asked: bool },
    /// Something went wrong that a worker, or with `null` the primary, is at fault for.
    Error { worker: Option<u64>, reason: &'a str },
    /// A worker hangs, for this reason. One that was found to be `able` gets a signal now, one that is `stopped` is
    /// killed, one that is `traced` is left alone; `doing` says what it was doing, as far as that is known, and
    /// `output` the last lines that it has printed.
    Hangs { worker: u64, reason: &'a str, found: Found, doing: &'a Doing<'a>, output: &'a [String] },
    /// A reload began, was completed, or was rolled back for a reason.
    Reload { state: ReloadState, reason: Option<&'a str> },
    /// News of who gets the connections of a listener, in `news` and the fields of [`Choice`].
    Scheduling {
        listener: &'a str,
        #[serde(flatten)]
        news: Choice<'a>,
    },
    /// A reload has replaced so many of the workers.
    ReloadProgress { replaced: usize, of: usize },
    /// So many events were dropped here because nobody read them.
    Dropped { lines: u64 },
}

/// What a worker that hangs was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Found {
    Able,
    Stopped,
    Traced,
}

/// What a worker that hangs was doing: what is not known is `null`. `cpu_percent` is of one processor, for all its
/// threads; `kernel_stack` begins with the innermost function.
#[derive(Debug, Serialize)]
pub(crate) struct Doing<'a> {
    state: &'static str,
    tracer: Option<u32>,
    threads: Option<u32>,
    cpu_percent: Option<u32>,
    waits_in: Option<&'a str>,
    system_call: Option<u32>,
    kernel_stack: &'a [String],
}

impl From<portcrew::Found> for Found {
    fn from(found: portcrew::Found) -> Self {
        match found {
            portcrew::Found::Able => Self::Able,
            portcrew::Found::Stopped => Self::Stopped,
            portcrew::Found::Traced => Self::Traced,
        }
    }
}

impl<'a> Doing<'a> {
    pub(crate) fn of(it: &'a Diagnosis) -> Self {
        let state = match it.state {
            ProcessState::Running => "running",
            ProcessState::Sleeping => "sleeping",
            ProcessState::Uninterruptible => "uninterruptible",
            ProcessState::Stopped => "stopped",
            ProcessState::Traced => "traced",
            ProcessState::Dead => "dead",
            // Or one of a newer library.
            _ => "unknown",
        };
        Self {
            state,
            tracer: it.tracer,
            threads: it.threads,
            cpu_percent: it.cpu,
            waits_in: it.waits_in.as_deref(),
            system_call: it.system_call,
            kernel_stack: &it.kernel_stack,
        }
    }
}

/// Where a reload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReloadState {
    Started,
    Done,
    RolledBack,
}

/// What is new about the choice of workers for a listener's connections.
#[derive(Debug, Serialize)]
#[serde(tag = "news", rename_all = "kebab-case")]
pub(crate) enum Choice<'a> {
    /// The listener is there, or its policy is another from now on.
    Policy { policy: &'a str },
    /// The policy counts open connections; who tells when one ends: `kernel`, or the `workers` as far as they do.
    Counted { by: Counter },
    /// This worker does not tell, so connections are dealt in turn.
    Uncounted { worker: u64 },
    /// The policy did what it must not; round-robin decides in its place.
    Failed { reason: &'a str },
    /// What the policy has decided since the listener is there: how often it was `asked` about a connection, how many
    /// were `given` to a worker and to each of its `workers`, how often one `waited`, how many were `refused`. Every
    /// 5 s at most, while something changes. Where workers accept for themselves nobody decides, and there is none.
    Summary {
        policy: &'a str,
        asked: u64,
        given: u64,
        waited: u64,
        refused: u64,
        workers: &'a [Given],
    },
}

/// Who tells when connections end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Counter {
    Kernel,
    Workers,
}

impl From<portcrew::Counter> for Counter {
    fn from(counter: portcrew::Counter) -> Self {
        match counter {
            portcrew::Counter::Kernel => Self::Kernel,
            portcrew::Counter::Workers => Self::Workers,
        }
    }
}

/// How many connections of the listener a worker was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Given {
    pub(crate) worker: u64,
    pub(crate) connections: u64,
}

#[derive(Serialize)]
struct Stamped<'a> {
    time_ms: u64,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// The event with the present time as one line, newline included.
pub(crate) fn json_line(event: &Event<'_>) -> Vec<u8> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let mut line = serde_json::to_vec(&Stamped { time_ms, event })
        .expect("events have text keys and nothing that fails to serialise");
    // A message may have been written over several lines by its worker. Outside of strings a line break is only
    // space, and inside of them it is always escaped.
    for byte in &mut line {
        if matches!(*byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let mut line = harmless_json(line);
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(event: &Event<'_>) -> String {
        let line = String::from_utf8(json_line(event)).unwrap();
        let (stamp, rest) = line.split_once(',').unwrap();
        assert!(stamp.starts_with("{\"time_ms\":1"), "{stamp}");
        format!("{{{rest}")
    }

    #[test]
    fn an_event_is_one_line_with_its_name() {
        assert_eq!(
            text(&Event::Fork { worker: 3, pid: 77 }),
            "{\"event\":\"fork\",\"worker\":3,\"pid\":77}\n"
        );
        let exit = |signal, core| Event::Exit { worker: 1, code: None, signal, asked: false, core };
        assert_eq!(
            text(&exit(Some("SIGKILL"), None)),
            "{\"event\":\"exit\",\"worker\":1,\"code\":null,\"signal\":\"SIGKILL\",\"asked\":false}\n"
        );
        assert_eq!(
            text(&exit(Some("SIGSEGV"), Some(true))),
            "{\"event\":\"exit\",\"worker\":1,\"code\":null,\"signal\":\"SIGSEGV\",\"asked\":false,\"core\":true}\n"
        );
        assert_eq!(
            text(&Event::Reload { state: ReloadState::RolledBack, reason: Some("x") }),
            "{\"event\":\"reload\",\"state\":\"rolled-back\",\"reason\":\"x\"}\n"
        );
    }

    #[test]
    fn a_worker_that_hangs_is_told_with_what_it_was_doing() {
        let mut diagnosis = Diagnosis::default();
        (diagnosis.state, diagnosis.cpu) = (ProcessState::Running, Some(97));
        let (doing, output) = (Doing::of(&diagnosis), ["x".to_owned()]);
        let (worker, reason, found) = (3, "y", Found::Able);
        let line = text(&Event::Hangs { worker, reason, found, doing: &doing, output: &output });
        assert_eq!(
            line,
            "{\"event\":\"hangs\",\"worker\":3,\"reason\":\"y\",\"found\":\"able\",\"doing\":{\"state\":\"running\",\
             \"tracer\":null,\"threads\":null,\"cpu_percent\":97,\"waits_in\":null,\"system_call\":null,\
             \"kernel_stack\":[]},\"output\":[\"x\"]}\n"
        );
    }

    #[test]
    fn news_of_scheduling_have_the_listener_what_is_new_and_its_fields() {
        let line = |news| text(&Event::Scheduling { listener: "port 80", news });
        let begin = "{\"event\":\"scheduling\",\"listener\":\"port 80\",\"news\":";
        for (news, rest) in [
            (Choice::Policy { policy: "sticky" }, "\"policy\",\"policy\":\"sticky\"}\n"),
            (Choice::Counted { by: Counter::Kernel }, "\"counted\",\"by\":\"kernel\"}\n"),
            (Choice::Uncounted { worker: 2 }, "\"uncounted\",\"worker\":2}\n"),
            (Choice::Failed { reason: "x" }, "\"failed\",\"reason\":\"x\"}\n"),
        ] {
            assert_eq!(line(news), format!("{begin}{rest}"));
        }
        let workers = [Given { worker: 1, connections: 3 }];
        let (asked, given, waited, refused) = (5, 3, 2, 0);
        let policy = "sticky";
        let news = Choice::Summary { policy, asked, given, waited, refused, workers: &workers };
        assert_eq!(
            line(news),
            format!(
                "{begin}\"summary\",\"policy\":\"sticky\",\"asked\":5,\"given\":3,\"waited\":2,\"refused\":0,\
                 \"workers\":[{{\"worker\":1,\"connections\":3}}]}}\n"
            )
        );
    }

    #[test]
    fn a_message_is_passed_on_as_its_worker_wrote_it_on_one_line() {
        let raw = RawValue::from_string("{\"n\": 1.10,\n \"s\":\"a\\nb\"}".to_owned()).unwrap();
        assert_eq!(
            text(&Event::Message { worker: 1, message: &raw, has_handle: false }),
            "{\"event\":\"message\",\"worker\":1,\"message\":{\"n\": 1.10,  \"s\":\"a\\nb\"},\"has_handle\":false}\n"
        );
    }
}
