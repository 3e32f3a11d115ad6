//! The words of the control socket: what it refuses, what is asked on it, and what befell a crew.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::notices::span;
use super::{count, of};
use crate::control::v1::Problem;

fn problem(error: String, next: &str) -> Problem {
    Problem { error, next: next.to_owned(), output: Vec::new() }
}

pub(crate) fn no_directory(path: &Path, reason: &dyn Display) -> String {
    format!(
        "{}: {reason}. It is to hold the control sockets of your crews; set XDG_RUNTIME_DIR to a directory that you \
         can write",
        path.display()
    )
}

pub(crate) fn not_a_directory(path: &Path) -> String {
    format!(
        "{} is to be the directory of your control sockets and is something else. Remove it, or set XDG_RUNTIME_DIR",
        path.display()
    )
}

pub(crate) fn not_our_directory(path: &Path, owner: u32) -> String {
    format!(
        "{} belongs to another user (uid {owner}), who could play a crew there. Set XDG_RUNTIME_DIR to a directory of \
         your own",
        path.display()
    )
}

pub(crate) fn open_directory(path: &Path, mode: u32) -> String {
    let path = path.display();
    format!("{path} is open to other users (mode {mode:o}). Close it: chmod 700 {path}")
}

pub(crate) fn no_home() -> String {
    "there is no place for the output: neither XDG_STATE_HOME nor HOME is an absolute path. Set one of them".to_owned()
}

pub(crate) fn no_lock(path: &Path, reason: &dyn Display) -> String {
    format!(
        "{}: {reason}. The name cannot be locked; check the directory's file system",
        path.display()
    )
}

pub(crate) fn no_socket(path: &Path, reason: &dyn Display) -> String {
    format!(
        "{}: {reason}. A socket's path has 107 bytes at most; choose a shorter --name or set XDG_RUNTIME_DIR",
        path.display()
    )
}

pub(crate) fn name_taken(name: &str, pid: Option<u32>) -> String {
    let who = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    format!(
        "a crew called {name} runs already{who}. `portcrew reload {name}` replaces its workers, `portcrew stop {name}` \
         ends it; another crew needs another --name"
    )
}

/// For a crew that was not named by the user.
pub(crate) fn name_taken_goes_on(name: &str, pid: Option<u32>) -> String {
    let who = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
    format!(
        "another crew is called {name}{who}, so this one has no control socket; `portcrew run --name` has one, \
         --no-control saves this line"
    )
}

pub(crate) fn no_control(reason: &str) -> String {
    format!(
        "no control socket: {reason}. The crew serves all the same; --no-control saves this line"
    )
}

/// The whole answer to another user.
pub(crate) fn not_allowed_answer() -> String {
    let body =
        r#"{"error":"this crew belongs to another user","next":"ask as that user or as root"}"#;
    format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n\
         {body}\n",
        body.len() + 1
    )
}

pub(crate) fn no_such_address(path: &str) -> Problem {
    problem(
        format!("there is nothing at {}", path.escape_debug()),
        "GET /v1/status, /v1/workers, /v1/events, /v1/metrics, /v1/why; POST /v1/reload, /v1/scale, /v1/stop, \
         /v1/policy, /v1/signal",
    )
}

pub(crate) fn no_such_method(method: &str, path: &str) -> Problem {
    problem(
        format!("{path} does not take {}", method.escape_debug()),
        "what changes something is POST, everything else GET",
    )
}

pub(crate) fn body_unreadable(reason: &dyn Display) -> Problem {
    problem(format!("the body cannot be read: {reason}"), "see docs/control-api.md for its fields")
}

pub(crate) fn body_too_long(most: usize) -> Problem {
    problem(
        format!("the body is longer than {} bytes, or ended too early", count(most as u64)),
        "see docs/control-api.md for its fields",
    )
}

pub(crate) fn body_too_slow(within: Duration) -> Problem {
    problem(format!("the body did not come within {}", span(within)), "send it whole")
}

pub(crate) fn too_many_readers() -> Problem {
    problem(
        format!("{} follow the events already", of(crate::output::MOST_READERS as u64, "client")),
        "end one of them, or try again later",
    )
}

pub(crate) fn too_many_requests() -> Problem {
    problem("too many requests wait already".to_owned(), "try again in a moment")
}

pub(crate) fn no_answer() -> Problem {
    problem("the crew's leader does not answer".to_owned(), "try again in a moment")
}

pub(crate) fn crew_has_ended() -> Problem {
    problem("the crew has ended".to_owned(), "`portcrew list` shows those that run")
}

pub(crate) fn verdict_lost() -> Problem {
    problem(
        "so much happened at once that the verdict was missed".to_owned(),
        "`portcrew describe` shows the generation, `portcrew why` what befell the crew",
    )
}

pub(crate) fn is_stopping() -> Problem {
    problem("the crew is being stopped".to_owned(), "wait for its end, then start it again")
}

pub(crate) fn rolled_back(why: &str, output: Vec<String>) -> Problem {
    Problem {
        error: format!("the reload was rolled back: {why}"),
        next: "the old workers go on; mend the program and reload again".to_owned(),
        output,
    }
}

pub(crate) fn scale_unclear() -> Problem {
    problem(
        "`workers` or `by` must be given, and not both".to_owned(),
        r#"{"workers": 4} or {"by": -1}"#,
    )
}

pub(crate) fn scale_refused(workers: usize, most: usize) -> Problem {
    problem(
        format!("a crew has 1 to {} workers; nothing changed", count(most as u64)),
        &format!("it has {} now", of(workers as u64, "worker")),
    )
}

pub(crate) fn policy_refused(reason: String) -> Problem {
    problem(reason, "policies as `portcrew run --policy` has them; nothing was changed")
}

pub(crate) fn signal_unknown(text: &str) -> Problem {
    problem(
        format!("there is no signal `{}`", text.escape_debug()),
        "a name as SIGUSR2, or 1 to 64",
    )
}

pub(crate) fn no_such_worker(id: u64) -> Problem {
    problem(format!("there is no worker {id}"), "GET /v1/workers has their ids")
}

pub(crate) fn refused_without_words(status: u16) -> Problem {
    problem(
        format!("the answer was {status} without a reason"),
        "another version of portcrew may lead this crew: compare `portcrew --version` with that of `describe`",
    )
}

pub(crate) fn no_http() -> String {
    "what was answered is no HTTP".to_owned()
}

pub(crate) fn asked_reload() -> String {
    "asked on the control socket to reload".to_owned()
}

pub(crate) fn asked_scale(before: usize, wanted: usize) -> String {
    format!("asked on the control socket for {} in place of {before}", of(wanted as u64, "worker"))
}

pub(crate) fn asked_stop(grace: Duration) -> String {
    format!("asked on the control socket to stop: {} for open connections", span(grace))
}

pub(crate) fn asked_stop_now() -> String {
    "asked on the control socket to stop at once".to_owned()
}

pub(crate) fn asked_policy(policy: &str) -> String {
    format!("asked on the control socket for the policy {policy}")
}

pub(crate) fn asked_signal(signal: &str, worker: Option<u64>) -> String {
    match worker {
        Some(worker) => format!("asked on the control socket to send {signal} to worker {worker}"),
        None => format!("asked on the control socket to send {signal} to every worker"),
    }
}

pub(crate) fn new_one(delay: Duration) -> String {
    format!("a new one started after {}", span(delay))
}

pub(crate) fn and_then(what: &str, how: &str) -> String {
    format!("{what}, and {how}")
}

pub(crate) fn left_alone() -> String {
    "it was left alone: somebody debugs it".to_owned()
}

pub(crate) fn degraded() -> String {
    "workers died too often before they listened; one at a time is tried".to_owned()
}

pub(crate) fn recovered() -> String {
    "a worker listened again".to_owned()
}

pub(crate) fn reloaded(generation: u64) -> String {
    format!("every worker is of generation {generation}")
}

pub(crate) fn generation_gone(generation: u64) -> String {
    format!("generation {generation} is gone, the old workers went on")
}
