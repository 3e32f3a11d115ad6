//! `portcrew stop`, `kill` and `delete`: the end of a crew, and of what it left.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::json;

use super::each::{Done, Undone, each_found, plain, some, undone};
use crate::args::{KillArgs, StopArgs, TargetArgs, as_name};
use crate::control::v1::{Status, Stop, Stopped};
use crate::control::{Client, Crews, Found, Meant, choose, state_directory, states};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;

/// How long a primary may take to go after its last worker has ended: it passes on what is left of their output.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Directories of logs that are looked at at most. What lies beyond is deleted by deleting again.
const MOST_STATES: usize = 4096;

/// Drains each crew that is meant and waits for its end.
pub(crate) fn stop(args: &StopArgs) -> ExitStatus {
    let wish = Stop { now: args.now };
    let as_json = args.which.json;
    match find(&args.which.targets) {
        Ok((crews, meant)) => {
            each_found(&crews, &meant, as_json, |name, client| stop_one(name, client, wish))
        }
        Err((words, status)) => super::each::refuse(&words, as_json, status),
    }
}

/// Ends each crew that is meant without waiting, also one that does not answer.
pub(crate) fn kill(args: &KillArgs) -> ExitStatus {
    let (crews, meant) = match find(&args.targets) {
        Ok(found) => found,
        Err((words, status)) => return super::each::refuse(&words, args.json, status),
    };
    super::each::each_of(&meant, args.json, |name| match crews.find(name) {
        Found::Crew(client) => match stop_one(name, &client, Stop { now: true }) {
            Err(undone) if undone.status == ExitStatus::NoCrew => kill_primary(&crews, name),
            done => done,
        },
        Found::Silent(_) | Found::Full(_) => kill_primary(&crews, name),
        Found::Nobody => Err(super::each::nobody(name)),
    })
}

/// Stops each crew that is meant, if it runs, and removes what it wrote. It may have ended and left its logs.
pub(crate) fn delete(args: &TargetArgs) -> ExitStatus {
    let running = Crews::of_this_user().map_err(|words| (words, ExitStatus::NoCrew));
    let meant = running.and_then(|crews| {
        let targets = crews.by_pid(&args.targets, has_state);
        let mut names = crews.names;
        names.extend(with_state());
        names.sort();
        names.dedup();
        some(choose(&targets, &names))
    });
    match meant {
        Ok(meant) => super::each::each_of(&meant, args.json, delete_one),
        Err((words, status)) => super::each::refuse(&words, args.json, status),
    }
}

/// The crews that run, and what is meant of them. A number that names a crew with state is never the pid of another,
/// though it has ended: whoever writes it means that one, and the other goes on.
///
/// # Errors
/// When no target means a crew that runs.
fn find(targets: &[String]) -> Result<(Crews, Vec<Meant>), (String, ExitStatus)> {
    let crews = Crews::of_this_user().map_err(|words| (words, ExitStatus::NoCrew))?;
    let meant = some(choose(&crews.by_pid(targets, has_state), &crews.names))?;
    Ok((crews, meant))
}

fn stop_one(name: &str, client: &Client, wish: Stop) -> Result<Done, Undone> {
    let status: Status = client.get("/v1/status").map_err(|it| undone(name, it))?;
    // Before the wish: its number is its own while it leads the crew.
    let primary = open(status.pid);
    let stopped: Stopped = match wish.now {
        true => client.post_within("/v1/stop", &wish),
        false => client.post("/v1/stop", &wish),
    }
    .map_err(|it| undone(name, it))?;
    if primary.is_ok_and(|it| !has_ended(&it, GONE_WITHIN)) {
        return Err(plain(words::still_there(name, status.pid), ExitStatus::CrewFailed));
    }
    let mut done = Done::well(words::stopped(name, stopped.killed), &stopped);
    // Who wanted it at once wanted this.
    if stopped.killed > 0 && !wish.now {
        done.status = ExitStatus::Forced;
    }
    Ok(done)
}

/// The primary holds the name's lock, in which its pid stands: as long as it does, the number is its own.
fn kill_primary(crews: &Crews, name: &str) -> Result<Done, Undone> {
    let failed =
        |error: &dyn std::fmt::Display| plain(words::cannot_kill(name, error), ExitStatus::NoCrew);
    let Some(pid) = crews.holder(name) else {
        return Err(super::each::nobody(name));
    };
    let primary = open(pid).map_err(|error| failed(&error))?;
    // Opened now and looked at again: whoever has a number of theirs later is not signalled.
    let workers: Vec<_> = children(pid).into_iter().filter_map(|it| open(it).ok()).collect();
    if matches!(crews.find(name), Found::Nobody) {
        return Err(super::each::nobody(name));
    }
    pidfd_send_signal(&primary, Signal::KILL).map_err(|error| failed(&error))?;
    for worker in workers {
        // Most have ended with their channel; the others are not to outlive it.
        let _ = pidfd_send_signal(worker, Signal::KILL);
    }
    has_ended(&primary, GONE_WITHIN);
    // What it left is cleaned up behind it.
    drop(crews.find(name));
    Ok(Done::well(words::killed_primary(name), &json!({ "killed_primary": pid })))
}

fn delete_one(name: &str) -> Result<Done, Undone> {
    let crews = Crews::of_this_user().map_err(|words| plain(words, ExitStatus::NoCrew))?;
    if crews.names.iter().any(|it| it == name) {
        match crews.find(name) {
            Found::Crew(client) => drop(stop_one(name, &client, Stop { now: false })?),
            Found::Silent(pid) | Found::Full(pid) => return Err(super::each::silent(name, pid)),
            // Cleaned up just now.
            Found::Nobody => {}
        }
    }
    // The name is one: it cannot lead out of the directory.
    let Some(directory) = as_name(name).and_then(|it| state_directory(it.as_str()).ok()) else {
        return Ok(Done::well(words::deleted(name), &json!({})));
    };
    match fs::remove_dir_all(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(plain(words::cannot_delete(&directory, &error), ExitStatus::Internal));
        }
    }
    Ok(Done::well(words::deleted(name), &json!({})))
}

/// Names of crews, running or not, that left something. What cannot be a crew's name is not ours.
fn with_state() -> Vec<String> {
    let entries = states().ok().and_then(|it| fs::read_dir(it).ok());
    let directories = entries.into_iter().flatten().flatten().take(MOST_STATES);
    let directories = directories.filter(|it| it.file_type().is_ok_and(|it| it.is_dir()));
    directories
        .filter_map(|it| Some(as_name(it.file_name().to_str()?)?.as_str().to_owned()))
        .collect()
}

/// Whether a crew of this name, running or not, left something.
fn has_state(name: &str) -> bool {
    as_name(name).and_then(|it| state_directory(it.as_str()).ok()).is_some_and(|it| it.is_dir())
}

fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// Waits for a process's end, of which a pidfd tells by being readable (pidfd_open(2)).
fn has_ended(process: &OwnedFd, within: Duration) -> bool {
    let within = Timespec::try_from(within).ok();
    poll(&mut [PollFd::new(process, PollFlags::IN)], within.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Those that its main thread started, which is the one that starts workers.
fn children(pid: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_ascii_whitespace().filter_map(|it| it.parse().ok()).collect()
}
