//! The start itself: checks, descriptors, attributes, `posix_spawn`, pidfd.

use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::spawn::{PosixSpawnAttr, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use super::environment;
use super::error::{SpawnError, SpawnErrorKind, explain_exec};
use super::lasting::start_lasting;
use super::place::Descriptors;
use super::signals::reset_inherited_signals;
use super::spec::{FIRST_EXTRA_FD, LAST_EXTRA_FD, SpawnSpec};
use crate::exec_helper::Plan;
use crate::process::Process;
use crate::strangers::Own;

/// A started process and our ends of what it was given. All are close-on-exec.
#[derive(Debug)]
#[non_exhaustive]
pub struct Spawned {
    /// The process.
    pub process: Process,
    /// Our end of the channel, in non-blocking mode.
    pub channel: Option<OwnedFd>,
    /// Our end of the lane, in non-blocking mode.
    pub lane: Option<OwnedFd>,
    /// The end that writes to the child's standard input, when that is piped.
    pub stdin: Option<OwnedFd>,
    /// The end that reads the child's standard output, when that is piped.
    pub stdout: Option<OwnedFd>,
    /// The end that reads the child's standard error, when that is piped.
    pub stderr: Option<OwnedFd>,
    /// Our ends of the child's [extra](SpawnSpec::extra) sockets, by their numbers in the child, in
    /// non-blocking mode.
    pub extra: BTreeMap<RawFd, OwnedFd>,
}

/// Starts a process. The call does not copy this process and may be made from any thread; it
/// returns when the program has replaced the child's image, or failed to.
///
/// A program started through the exec helper is judged later: what the helper cannot do it says in
/// one line on the child's standard error, with exit status 126 or 127.
///
/// # Errors
///
/// See [`SpawnErrorKind`]. After an error no process and no descriptor is left.
pub fn spawn(spec: &SpawnSpec) -> Result<Spawned, SpawnError> {
    check(spec)?;
    match spec.parent_death_signal {
        Some(_) => start_lasting(spec),
        None => start(spec),
    }
}

/// From this thread, of a specification that was checked.
pub(super) fn start(spec: &SpawnSpec) -> Result<Spawned, SpawnError> {
    let failed = |what: &'static str| {
        move |error: std::io::Error| SpawnError::system(&spec.program, what, error)
    };
    reset_inherited_signals().map_err(failed("SIGCHLD cannot be reset"))?;
    let mut descriptors =
        Descriptors::open(spec).map_err(failed("its descriptors cannot be opened"))?;
    let plan = plan(spec, &descriptors)?;
    let image = match spec.wants_helper_for() {
        Some(what) => helper(spec, what)?,
        None => spec.program.as_path(),
    };
    let arguments = arguments(spec)?;
    let environment = environment::block(spec, plan.as_ref())?;
    let actions = descriptors.actions().map_err(failed("no memory for its file actions"))?;
    let attributes =
        attributes(spec).map_err(|errno| SpawnError::system(&spec.program, "attributes", errno))?;
    let mut own = Own::lock();
    let pid = posix_spawn(image, &actions, &attributes, &arguments, &environment)
        .map_err(|errno| explain_exec(image, errno as i32))?;
    let process = Process::adopt(pid.as_raw(), spec.own_process_group, &mut own)
        .map_err(failed("no descriptor to watch it by"))?;
    drop(own);
    let Descriptors { channel, lane, stdin, stdout, stderr, extra, .. } = descriptors;
    Ok(Spawned { process, channel, lane, stdin, stdout, stderr, extra })
}

/// What contradicts itself, found before anything is opened.
fn check(spec: &SpawnSpec) -> Result<(), SpawnError> {
    let program = spec.program.as_os_str().as_bytes();
    let contradictions = [
        (program.is_empty() || program.contains(&0), "its name is empty or has a NUL byte"),
        (spec.lane && !spec.channel, "a lane needs a channel beside it"),
        (spec.worker_id.is_some() && !spec.channel, "a worker id needs a channel"),
        (
            spec.channel && !spec.listeners.is_empty(),
            "listening sockets by number and a channel both begin at descriptor 3",
        ),
        (
            !spec.listener_names.is_empty() && spec.listener_names.len() != spec.listeners.len(),
            "each listening socket has a name, or none has one",
        ),
        (
            !spec.listener_names.iter().all(|name| is_listener_name(name)),
            "the name of a listening socket is of 1 to 255 printable ASCII characters without a colon",
        ),
        (
            !spec.extra.is_empty() && !spec.listeners.is_empty(),
            "listening sockets by number follow each other from descriptor 3 on",
        ),
        (
            spec.extra.keys().any(|number| !(FIRST_EXTRA_FD..=LAST_EXTRA_FD).contains(number)),
            "an extra descriptor has a number from 3 to 255",
        ),
        (spec.uid.is_some() && spec.gid.is_none(), "a user without a group would keep ours"),
        (spec.gid.is_none() && !spec.groups.is_empty(), "supplementary groups need a group"),
    ];
    for (is_so, reason) in contradictions {
        if is_so {
            return Err(SpawnError::new(SpawnErrorKind::BadSpec, &spec.program, reason));
        }
    }
    Ok(())
}

/// sd_listen_fds(3): names are joined by colons.
fn is_listener_name(name: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b':';
    (1..=255).contains(&name.len()) && name.bytes().all(is_plain)
}

fn plan(spec: &SpawnSpec, descriptors: &Descriptors) -> Result<Option<Plan>, SpawnError> {
    if spec.wants_helper_for().is_none() {
        return Ok(None);
    }
    // A relative path counts from our directory, and the helper may be in another one by then.
    let program = std::path::absolute(&spec.program)
        .map_err(|error| SpawnError::system(&spec.program, "its path is unknown", error))?;
    Ok(Some(Plan {
        program: program.into(),
        cwd: spec.cwd.clone().map(Into::into),
        uid: spec.uid,
        gid: spec.gid,
        groups: spec.groups.clone(),
        limits: spec.limits.clone(),
        parent_death_signal: spec.parent_death_signal,
        parent: std::process::id(),
        no_new_privs: spec.no_new_privs,
        listen_pid: !spec.listeners.is_empty(),
        first_closed: descriptors.end(),
    }))
}

fn helper<'a>(spec: &'a SpawnSpec, what: &str) -> Result<&'a Path, SpawnError> {
    spec.helper.as_deref().ok_or_else(|| {
        let reason = format!("{what} needs the exec helper, and no executable for it is given");
        SpawnError::new(SpawnErrorKind::BadSpec, &spec.program, reason)
    })
}

/// The helper passes its own arguments on, so both images get the same ones.
fn arguments(spec: &SpawnSpec) -> Result<Vec<CString>, SpawnError> {
    let name = spec.argv0.as_deref().unwrap_or(spec.program.as_os_str());
    let all = std::iter::once(name).chain(spec.args.iter().map(OsString::as_os_str));
    all.map(|arg| {
        CString::new(arg.as_bytes()).map_err(|_| {
            let reason = format!("the argument {arg:?} has a NUL byte");
            SpawnError::new(SpawnErrorKind::BadSpec, &spec.program, reason)
        })
    })
    .collect()
}

fn attributes(spec: &SpawnSpec) -> nix::Result<PosixSpawnAttr> {
    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_sigmask(&SigSet::empty())?;
    attributes.set_sigdefault(&SigSet::all())?;
    let mut flags =
        PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    if spec.own_process_group {
        // Zero: the group is named after the child itself, and exists before its first instruction.
        attributes.set_pgroup(Pid::from_raw(0))?;
        flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
    }
    attributes.set_flags(flags)?;
    Ok(attributes)
}
