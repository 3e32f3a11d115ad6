//! The words about how a crew is supervised: help, what cannot be read, what does not go together, and a worker that is
//! not ready in time.

use std::fmt::Display;
use std::time::Duration;

use portcrew::Ready;

use super::count;
use super::notices::{not_listening, span};

/// Headings of the long help.
pub(crate) const HEALTH: &str = "Readiness and health";
pub(crate) const RELOADS: &str = "Reloads";
pub(crate) const WEAR: &str = "Limits and replacement";
pub(crate) const LEAVING: &str = "Leaving";

pub(crate) const READY: &str = "What shows that a worker is ready: listening, message, notify, alive, tcp:ADDR:PORT or \
    http://ADDR:PORT/PATH [default: listening]";
pub(crate) const READY_LONG: &str = "\
What shows that a worker is ready [default: listening]

  listening              it listens
  message                it sent `ready` on its channel: process.send('ready')
                         (PM2's --wait-ready)
  notify                 it sent READY=1 to its $NOTIFY_SOCKET (sd_notify(3))
  alive                  it has lived for --stable: for programs that never
                         listen; a reload stops each before it starts the next
  tcp:ADDR:PORT          a connection there is accepted
  http://ADDR:PORT/PATH  a GET is answered with 200 to 399

A probe sees whoever answers at its address, which may be another worker.";
pub(crate) const PROBE_EVERY: &str =
    "From one probe to the next while a worker is not ready [default: 200ms]";
pub(crate) const PROBE_WITHIN: &str = "How long a probe may take [default: 2s]";
pub(crate) const ALIVE_EVERY: &str = "Repeat the probe of --ready for a ready worker, so often; who fails is ended and \
    replaced [default with --alive-failures: 10s]";
pub(crate) const ALIVE_FAILURES: &str =
    "How many of these probes must fail in a row for that [default: 3]";
pub(crate) const ANSWER_WITHIN: &str = "How long a worker may leave a connection unanswered that it is offered, which \
    is how long its event loop may be blocked; beyond it it is ended and replaced. Or `off` [default: 60s]";
pub(crate) const ANSWER_WITHIN_LONG: &str = "\
How long a worker may leave a connection unanswered that it is offered, which is how long its event loop may be blocked; \
beyond it it is ended and replaced, and what it has not touched is answered by others. Noticed when a \
connection is offered to it. A worker of the Rust library whose runtime turns is left alone; \
`off` for others that stop accepting on purpose. Workers with an inspector (--inspect) are not looked at [default: 60s]";
pub(crate) const HEARTBEAT: &str = "How often a worker of the Rust library is asked whether its runtime turns; one \
    that has not answered by the next time is ended and replaced";
pub(crate) const HEARTBEAT_LONG: &str = "\
How often a worker of the Rust library is asked whether its runtime turns; one that has not answered by the next time is \
ended and replaced, before a connection meets it. Node's channel knows no such question: of other workers their answers \
are what counts (--answer-within), and the probe of --ready where it is repeated (--alive-every)";
pub(crate) const HANG_SIGNAL: &str = "What a worker gets that hangs, such as ABRT for a core file; one that has not ended \
    --kill-after later gets SIGKILL [default: that of --stop-signal]";
pub(crate) const WATCHDOG: &str = "How long a worker may be without WATCHDOG=1 on its $NOTIFY_SOCKET, with --ready \
    notify; beyond it it is ended and replaced";
pub(crate) const STABLE: &str = "How long a new worker must serve before the old one of its place leaves; with --ready \
    alive, how long one must live to be ready [default: 1s]";
pub(crate) const SURGE: &str =
    "How many new workers a reload has beside the old ones at once [default: 1]";
pub(crate) const MAX_UNAVAILABLE: &str =
    "How many old workers may leave before their successors are ready [default: 0]";
pub(crate) const OVERLAP: &str =
    "Start the new worker before the old one ends, with --ready alive too";
pub(crate) const MAX_MEMORY: &str = "How much memory a worker may have, such as 200M or 1G; beyond it it is replaced, new before old (PM2's \
    --max-memory-restart)";
pub(crate) const MAX_AGE: &str = "How long a worker may live, spread by a fifth either way, such as 12h or 7d; then it is replaced in the same way";
pub(crate) const MAX_CONNECTIONS: &str =
    "How many connections a worker may be given; then it is replaced in the same way";
pub(crate) const SHED: &str = "Close connections at once for which there is no room, each counted, and do not leave \
    them in the kernel's backlog: when 256 wait for a worker, or no descriptor is left";
pub(crate) const STOP_EXIT_CODES: &str = "Statuses after which a worker is not replaced before the next reload, joined \
    by commas: 0,3";
pub(crate) const DRAIN: &str = "How a worker is told to leave: disconnect, message:TEXT or signal:NAME [default: \
    disconnect]";
pub(crate) const DRAIN_LONG: &str = "\
How a worker is told to leave [default: disconnect]

  disconnect    by Node's own order on its channel
  message:TEXT  by this text on its channel, as in process.on('message', …);
                message:shutdown is PM2's --shutdown-with-message
  signal:NAME   by this signal

It gets no new connection from then on. With a text or a signal the program has to end by itself.";
pub(crate) const STOP_SIGNAL: &str =
    "What a worker gets that has not left after --grace [default: TERM]";
pub(crate) const KILL_AFTER: &str = "How long a worker may take to end after that signal; beyond it it gets SIGKILL, \
    with its whole process group [default: 2s]";

pub(crate) fn sign_unknown() -> String {
    "give listening, message, notify, alive, tcp:ADDR:PORT or http://ADDR:PORT/PATH".to_owned()
}

pub(crate) fn no_tls() -> String {
    "a probe does not speak TLS; give http://ADDR:PORT/PATH, or tcp:ADDR:PORT for a port with TLS"
        .to_owned()
}

pub(crate) fn address_unreadable() -> String {
    "give an IP address and a port from 1 to 65535, such as 127.0.0.1:8080 or [::1]:8080; names are not looked up"
        .to_owned()
}

pub(crate) fn path_refused() -> String {
    "the path begins with `/`, and has neither spaces nor `#`; write others as %20".to_owned()
}

pub(crate) fn size_unreadable() -> String {
    "give a whole number with K, M, G or T, such as 200M; without a unit it is bytes".to_owned()
}

pub(crate) fn size_refused() -> String {
    "from 1M to 64T; a number without a unit is bytes, so write 200M and not 200".to_owned()
}

pub(crate) fn connections_refused() -> String {
    "give a whole number, at least 1; leave the option out for any number".to_owned()
}

pub(crate) fn workers_refused(limit: u16) -> String {
    format!("give a number of workers, 0 to {}", count(limit.into()))
}

pub(crate) fn failures_refused(limit: u32) -> String {
    format!("give a number from 1 to {}", count(limit.into()))
}

pub(crate) fn code_refused() -> String {
    "give statuses from 0 to 255, joined by commas, such as 0,3".to_owned()
}

pub(crate) fn drain_unknown() -> String {
    "give disconnect, message:TEXT or signal:NAME".to_owned()
}

pub(crate) fn text_refused(limit: usize) -> String {
    format!(
        "the text has 1 to {} bytes, such as message:shutdown",
        count(u64::try_from(limit).unwrap_or(u64::MAX))
    )
}

pub(crate) fn signal_unknown() -> String {
    "there is no signal of this name; give one such as TERM, INT, QUIT, HUP, ABRT, USR1 or USR2"
        .to_owned()
}

pub(crate) fn not_heard() -> String {
    "no program can hear this signal and leave by it; give one such as TERM, INT, QUIT or USR2"
        .to_owned()
}

pub(crate) fn ends_nobody() -> String {
    "this signal ends no program by itself; give one such as ABRT, QUIT, TERM or KILL".to_owned()
}

/// What is wrong with a time that may be left out.
pub(crate) fn or_off(reason: &str) -> String {
    format!("{reason}, or `off`")
}

pub(crate) fn span_too_short(least: Duration) -> String {
    format!("at least {}", span(least))
}

pub(crate) fn age_unreadable() -> String {
    "give a whole number with `s`, `m`, `h` or `d`, from 1s to 365d, such as 12h".to_owned()
}

/// PM2's time from the signal to SIGKILL. There the signal is how a worker is told; here it is told before.
pub(crate) fn pm2_kill_timeout(value: &str) -> String {
    let grace = pm2_name("--grace", value);
    format!("{grace}; SIGKILL comes --kill-after that, 2 s by default")
}

/// An option of PM2, with what it is here.
pub(crate) fn pm2_name(option: &str, value: &str) -> String {
    format!("that is PM2's name, where plain numbers are milliseconds; write `{option} {value}`")
}

pub(crate) const ONLY_PROBES: &str = "--probe-every and --probe-within are about probes, and --ready is none. Leave them \
    out, or give --ready tcp:ADDR:PORT or http://ADDR:PORT/PATH";
pub(crate) const NOTHING_TO_REPEAT: &str = "--alive-every and --alive-failures repeat a probe, and --ready is none. Give \
    --ready tcp:ADDR:PORT or http://ADDR:PORT/PATH; or look at workers by --answer-within";
pub(crate) const NO_DOG: &str = "--watchdog is about WATCHDOG=1 on the notify socket, which workers have with --ready \
    notify. Give that, or look at workers by --answer-within";
pub(crate) const OVERLAPS_ANYWAY: &str = "--overlap is for programs that never listen (--ready alive): others always \
    overlap, their connections need it. Leave it out, or give --ready alive";
pub(crate) const NO_SURGE: &str = "--surge: with --ready alive each worker ends before its successor starts, so there is \
    none beside it. Give --overlap too, or --max-unavailable for several at once";
pub(crate) const NOBODY_REPLACED: &str = "--surge 0: with no new worker beside the old ones, and no old one that may leave \
    first, a reload could replace nobody. Give --surge 1, or --max-unavailable 1";
pub(crate) const NEVER_ALIVE: &str = "--start-deadline: with --ready alive a worker is ready when it has lived for \
    --stable (1 s by default), which is not within that. Give more time, or another --ready";
pub(crate) const NOBODY_COUNTS: &str = "--max-connections, --answer-within and --shed are about connections that the primary \
    accepts, and with the policy `shared` workers take them by themselves. Leave them out, or choose --policy \
    round-robin, least-connections or sticky; --max-age and --max-memory work with each";
pub(crate) const OWN_NOTIFY_SOCKET: &str = "--env: with --ready notify the primary sets NOTIFY_SOCKET and WATCHDOG_* itself, \
    anew for each worker. Leave them out, or give another --ready";
pub(crate) const NOT_REGISTERED: &str = "--register acts when a worker is told by Node's disconnect or by SIGTERM, and \
    --drain says otherwise. Leave one of them out, or give --drain signal:TERM";

pub(crate) const KILLED_ANYWAY: &str = "--kill-after is the time from the stop signal to SIGKILL, and with --stop-signal \
    KILL they are the same. Leave one of them out";

pub(crate) const NOBODY_HANGS: &str = "--hang-signal is what a worker gets that is found to hang, and with --answer-within \
    off nothing finds that. Leave one of them out, or give --heartbeat, --watchdog or --alive-every";

/// A worker that has not shown by the deadline that it is ready, in the way that it was to.
pub(crate) fn not_in_time(worker: &dyn Display, after: Duration, by: &Ready) -> String {
    let what = match by {
        Ready::Listening => return not_listening(worker, after),
        Ready::Message => {
            "it has not sent `ready` on its channel: process.send('ready')".to_owned()
        }
        Ready::Notify => "it has not sent READY=1 to its $NOTIFY_SOCKET".to_owned(),
        Ready::TcpConnect(address) => format!("nobody accepts connections on {address}"),
        Ready::HttpGet(get) => {
            format!("http://{}{} is not answered with 200 to 399", get.addr, get.path)
        }
        // `alive`, for which the deadline is always long enough, and signs of a newer library.
        _ => "it has not shown it".to_owned(),
    };
    format!(
        "worker {worker} is not ready, {} after its start: {what}. It goes on, and may be ready later. Its output may \
         say why; a new worker of a reload that is not ready by then is rolled back",
        span(after)
    )
}
