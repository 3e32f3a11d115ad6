//! The words of the commands that find a crew by its name: their `--help`, and what they say.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::notices::span;
use super::of;
use crate::control::v1::AcceptQueue;

pub(crate) const NO_CONTROL: &str =
    "Do without the control socket: `list`, `reload` and the like will not find this crew";
pub(crate) const START: &str = "Run a program as a crew, in the background";
pub(crate) const START_USAGE: &str = "portcrew start [OPTIONS] [--] PROGRAM [ARGS]...";
pub(crate) const START_AFTER: &str = "\
Examples:
  portcrew start -w 4 server.js
  portcrew start --name shop --env NODE_ENV=production npm start

It returns when every worker listens, or says why not. What the crew prints goes
to out.log and err.log in ~/.local/state/portcrew/NAME (or $XDG_STATE_HOME). The
exit statuses are those of `portcrew run --help`.";
pub(crate) const LIST: &str = "List the crews that run";
pub(crate) const DESCRIBE: &str = "Tell everything about a crew";
pub(crate) const RELOAD: &str = "Replace a crew's workers one by one, new before old";
pub(crate) const RELOAD_AFTER: &str = "\
It returns with the verdict. Status 1: the new workers were of no use, the old
ones go on, and the reason is said.";
pub(crate) const RESTART: &str = "The same as reload; with --hard the old workers end first";
pub(crate) const RESTART_AFTER: &str = "\
Other managers stop a program and then start it, and nobody answers in between.
Here the new workers come first, as with reload, unless --hard is given.";
pub(crate) const SCALE: &str = "Change how many workers a crew has";
pub(crate) const SCALE_AFTER: &str = "\
Examples:
  portcrew scale api 8
  portcrew scale api +2
  portcrew scale api worker -1";
pub(crate) const CHANGE_POLICY: &str = "Change who gets a crew's connections, while it serves";
pub(crate) const CHANGE_POLICY_AFTER: &str = "\
Examples:
  portcrew policy api least-connections
  portcrew policy api 8080=sticky,9090=least-connections
  portcrew policy 'api-*' rr,8080=shared

What is not named stays as it is. From and to `shared` the workers are replaced as
by reload, and it returns with the verdict; rolled back, every policy is what it was.";
pub(crate) const NEW_POLICY: &str = "As `run --policy` has it: for all listeners that have none of their own, or LISTENER=POLICY; joined by commas";
pub(crate) const STOP: &str = "Drain a crew's workers and end it";
pub(crate) const DELETE: &str = "Stop a crew and remove its logs";
pub(crate) const EVENTS: &str = "Follow what happens in a crew";
pub(crate) const WHY: &str = "Tell what befell a crew last: causes, and last lines of output";
pub(crate) const KILL: &str = "End crews at once, without draining";
pub(crate) const DOCTOR: &str = "Look whether this machine suits crews, and what to change";
pub(crate) const COMPLETIONS: &str = "Print completions for a shell";
pub(crate) const TARGETS: &str =
    "Names of crews, pids of their primaries, `all`, or patterns with `*` and `?`";
pub(crate) const JSON: &str = "Answer with one JSON object";
pub(crate) const HARD: &str = "End every worker by SIGTERM at once; requests in them are lost";
pub(crate) const SIZE: &str = "How many workers; with a sign, how many more or fewer";
pub(crate) const NOW: &str = "Do not wait for open connections";
pub(crate) const SHELL: &str = "Which shell";

pub(crate) fn size_unreadable() -> String {
    "give a number, +N or -N".to_owned()
}

pub(crate) fn no_crews() -> String {
    "no crew runs; `portcrew start PROGRAM` starts one".to_owned()
}

pub(crate) fn no_such_crew(target: &str, nearest: Option<&str>, is_pattern: bool) -> String {
    let target = target.escape_debug();
    match (nearest, is_pattern) {
        (Some(nearest), _) => format!("there is no crew {target}. Did you mean {nearest}?"),
        (None, true) => {
            format!("no crew's name matches {target}. `portcrew list` shows all of them")
        }
        (None, false) => format!("there is no crew {target}. `portcrew list` shows those that run"),
    }
}

pub(crate) fn silent(name: &str, pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!(
            "{name} (pid {pid}) does not answer: it starts, or it ends, or it hangs. Try again; `portcrew kill {name}` \
             ends it"
        ),
        None => format!("{name} does not answer. Try again"),
    }
}

pub(crate) fn no_answer(name: &str, reason: &dyn Display) -> String {
    format!("{name} does not answer ({reason}). Try again; `portcrew kill {name}` ends it")
}

pub(crate) fn late(name: &str, after: Duration) -> String {
    format!(
        "{name} has not answered within {}. If it was told to do something, that may still be done: `portcrew describe \
         {name}` shows it, `portcrew kill {name}` ends it",
        span(after)
    )
}

pub(crate) fn gone_silent(name: &str, since: Duration) -> String {
    format!(
        "{name} has been silent for {}: it was stopped, or it hangs. What it was told to do may still be done. `portcrew \
         doctor` looks at it, `portcrew kill {name}` ends it",
        span(since)
    )
}

pub(crate) fn refused(name: &str, error: &str, next: &str) -> String {
    format!("{name}: {error}; {next}")
}

pub(crate) fn output_line(line: &str) -> String {
    format!("  | {line}")
}

pub(crate) fn reloaded(name: &str, generation: u64, took: Duration) -> String {
    format!("{name}: reloaded in {}, generation {generation}", span(took))
}

pub(crate) fn reload_progress(name: &str, replaced: u64, all: u64) -> String {
    format!("{name}: {replaced} of {all} replaced")
}

pub(crate) fn restart_is_reload() -> String {
    "restart is reload here, so that somebody always answers; --hard ends the old workers first"
        .to_owned()
}

pub(crate) fn restarted(name: &str, workers: usize) -> String {
    format!("{name}: {} restarted", of(workers as u64, "worker"))
}

pub(crate) fn restart_unfinished(name: &str, ready: usize, wanted: usize) -> String {
    format!(
        "{name}: the workers were ended, and {ready} of {wanted} are ready. `portcrew why {name}` may say why"
    )
}

pub(crate) fn scaled(name: &str, before: usize, wanted: usize) -> String {
    match before == wanted {
        true => format!("{name}: {} wanted, as before", of(wanted as u64, "worker")),
        false => format!("{name}: {} wanted in place of {before}", of(wanted as u64, "worker")),
    }
}

pub(crate) fn policy_set(name: &str, policy: &str, reloaded: bool) -> String {
    match reloaded {
        true => format!("{name}: {policy} from now on, with new workers"),
        false => format!("{name}: {policy} from now on"),
    }
}

pub(crate) fn stopped(name: &str, killed: usize) -> String {
    match killed {
        0 => format!("{name}: stopped"),
        _ => format!("{name}: stopped by force, {} killed", of(killed as u64, "worker")),
    }
}

pub(crate) fn still_there(name: &str, pid: u32) -> String {
    format!(
        "{name}: its workers have ended, and its primary (pid {pid}) is still there. `portcrew kill {name}` ends it"
    )
}

pub(crate) fn killed_primary(name: &str) -> String {
    format!("{name}: did not answer and was killed")
}

pub(crate) fn cannot_kill(name: &str, reason: &dyn Display) -> String {
    format!("{name}: cannot be killed: {reason}")
}

pub(crate) fn deleted(name: &str) -> String {
    format!("{name}: deleted")
}

pub(crate) fn cannot_delete(path: &Path, reason: &dyn Display) -> String {
    format!("{}: {reason}. Remove it by hand", path.display())
}

pub(crate) fn started(name: &str, workers: usize, addresses: &[String], pid: u32) -> String {
    let workers = of(workers as u64, "worker");
    match addresses {
        [] => format!("{name}: {workers} ready, pid {pid}"),
        addresses => format!("{name}: {workers} ready on {}, pid {pid}", addresses.join(", ")),
    }
}

pub(crate) fn started_silent(name: &str, after: Duration) -> String {
    format!(
        "{name}: runs, and not every worker is ready {} after its start. A program that never listens is not, unless \
         --ready says by what else; `portcrew why {name}` and its logs say more",
        span(after)
    )
}

pub(crate) fn logs_are_in(directory: &Path) -> String {
    format!("its output is in {}", directory.display())
}

pub(crate) fn start_failed(name: &str) -> String {
    format!("{name} did not start; it said:")
}

pub(crate) fn no_log(path: &Path, reason: &dyn Display) -> String {
    format!(
        "{}: {reason}. It is to hold the crew's output; set XDG_STATE_HOME to a directory that you can write",
        path.display()
    )
}

pub(crate) fn cannot_detach(reason: &dyn Display) -> String {
    format!(
        "the crew cannot be started in the background: {reason}. `portcrew run` runs it in the foreground"
    )
}

pub(crate) fn no_json_of_run() -> String {
    "--json is an option of `portcrew start`. What happens in a crew in the foreground is told by --events".to_owned()
}

pub(crate) fn not_detachable() -> String {
    "a crew in the background needs its control socket, or nobody could stop it. Leave --no-control out, or use \
     `portcrew run`"
        .to_owned()
}

pub(crate) fn has_ended(name: &str) -> String {
    format!("{name}: the crew has ended")
}

pub(crate) fn nothing_befell(name: &str) -> String {
    format!("{name}: nothing befell it since its start")
}

/// `3 min ago`.
pub(crate) fn ago(age: Duration) -> String {
    format!("{} ago", age_of(age))
}

/// `12 s`, `3 min`, `2 h`, `5 d`: as people say an age.
pub(crate) fn age_of(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub(crate) fn not_written(reason: &dyn Display) -> String {
    format!("the answer cannot be written to standard output: {reason}")
}

/// What the end of a worker cost.
pub(crate) fn died_inside(open: Option<u32>) -> String {
    match open {
        Some(1) => "1 connection was open in it".to_owned(),
        Some(open) => format!("{} were open in it", of(open.into(), "connection")),
        None => "how many connections were open in it is unknown: nothing counts them".to_owned(),
    }
}

/// What the ends of workers cost: connections where they are counted, workers where they are not.
pub(crate) fn lost_with_workers(what: &str, inside: u64, uncounted: u64) -> String {
    match (inside, uncounted) {
        (_, 0) => format!("at most {inside} {what} with their workers"),
        (0, _) => format!("an unknown number {what} with {}", of(uncounted, "worker")),
        (_, _) => format!(
            "at most {inside} {what} with their workers, and an unknown number with {uncounted} more"
        ),
    }
}

/// Connections of which nobody knows, behind those that are counted.
pub(crate) const UNKNOWN_BESIDES: &str = "unknown where workers accept by themselves";

/// A number of a listener that nobody counts.
pub(crate) const UNKNOWN: &str = "unknown";

/// `0 of 511, most 12`: what waits in the kernel.
pub(crate) fn accept_queue(queue: &AcceptQueue) -> String {
    format!("{} of {}, most {}", queue.waiting, queue.limit, queue.deepest)
}

pub(crate) fn lines_of_output(lines: u64) -> String {
    format!("{} of output", of(lines, "line"))
}

/// `512 KiB`, `3.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const KIB: f64 = 1024.0;
    let bytes = bytes as f64;
    match bytes {
        it if it < KIB * KIB => format!("{:.0} KiB", it / KIB),
        it if it < KIB * KIB * KIB => format!("{:.1} MiB", it / KIB / KIB),
        it => format!("{:.1} GiB", it / KIB / KIB / KIB),
    }
}
