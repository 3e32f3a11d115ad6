//! Prints, as one line of JSON, what this process was given by the one that started it:
//! descriptors, environment, arguments, group, and the channel it could claim.
//!
//! The first argument may ask for more: `twice` and `thread` claim at the wrong time, `grandchild`
//! shows what a child of a claimed process sees, `nest` and `nest-leak` what a child that this
//! process starts sees, `failing` and `starved` count descriptors over starts that fail, `children`
//! waits for two children where SIGCHLD was ignored.

use std::error::Error;
use std::io::{Write, stdout};
use std::process::Command;

use portcrew_ipc::exec_helper::run_if_asked;
use portcrew_ipc::inherit::{InheritError, Inherited, claim};
use portcrew_ipc::spawn::{SpawnErrorKind, SpawnSpec, Stdio, spawn};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    run_if_asked();
    let report = match std::env::args().nth(1).as_deref() {
        Some("twice") => json!({"first": outcome(&claim()), "second": outcome(&claim())}),
        Some("thread") => {
            let (end, wait) = std::sync::mpsc::channel::<()>();
            let thread = std::thread::spawn(move || wait.recv());
            let report = json!({"claim": outcome(&claim())});
            drop(end);
            drop(thread.join());
            report
        }
        Some("grandchild") => {
            let inherited = claim()?;
            let output = Command::new(std::env::current_exe()?).output()?;
            drop(inherited);
            serde_json::from_slice(&output.stdout)?
        }
        Some("nest") => nest(false)?,
        Some("nest-leak") => nest(true)?,
        Some("failing") => failing()?,
        Some("starved") => starved()?,
        Some("children") => children()?,
        _ => seen(),
    };
    writeln!(stdout(), "{report}")?;
    Ok(())
}

/// What this process sees, before and after its claim.
fn seen() -> Value {
    let descriptors = descriptors();
    let claimed = claim();
    let environment: serde_json::Map<String, Value> = std::env::vars_os()
        .map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned().into())
        })
        .collect();
    json!({
        "pid": std::process::id(),
        "group": rustix::process::getpgrp().as_raw_nonzero().get(),
        "descriptors": descriptors,
        "claim": outcome(&claimed),
        "environment": environment,
        "arguments": std::env::args().collect::<Vec<_>>(),
        "directory": std::env::current_dir().unwrap_or_default(),
        "parent_death_signal": rustix::process::parent_process_death_signal()
            .ok()
            .flatten()
            .map(rustix::process::Signal::as_raw),
    })
}

fn descriptors() -> Vec<i32> {
    let listed: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .map(|entries| entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()))
        .map(Iterator::collect)
        .unwrap_or_default();
    // The directory itself was open while it was listed, and is not any more.
    let is_open = |fd: &i32| std::fs::symlink_metadata(format!("/proc/self/fd/{fd}")).is_ok();
    let mut open: Vec<i32> = listed.into_iter().filter(is_open).collect();
    open.sort_unstable();
    open
}

fn outcome(claimed: &Result<Option<Inherited>, InheritError>) -> Value {
    match claimed {
        Ok(None) => json!("none"),
        Ok(Some(inherited)) => json!({
            "worker_id": inherited.worker_id,
            "lane": inherited.lane.is_some(),
        }),
        Err(error) => json!({"error": error.to_string()}),
    }
}

/// Starts this program again from a process that has nothing open, so that the numbers of the
/// sockets made for the child are those that the child is to see, in another order.
fn nest(leak: bool) -> Result<Value, Box<dyn Error>> {
    let itself = std::env::current_exe()?;
    let mut spec = SpawnSpec::new(&itself).lane(true).worker_id(1);
    spec.stdout = Stdio::Piped;
    let mut leaked = Vec::new();
    if leak {
        for _ in 0..4 {
            let file = std::fs::File::open("/dev/null")?;
            rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty())?;
            leaked.push(file);
        }
        spec = spec.cwd("/").helper(&itself);
    }
    let spawned = spawn(&spec)?;
    let output = spawned.stdout.map(std::fs::File::from).ok_or("no pipe")?;
    let report = serde_json::from_str(&std::io::read_to_string(output)?)?;
    drop(leaked);
    Ok(report)
}

fn failing() -> Result<Value, Box<dyn Error>> {
    let spec = SpawnSpec::new("/nonexistent/program").lane(true).worker_id(1);
    let spec = spec.stdio(Stdio::Piped, Stdio::Piped, Stdio::Piped);
    let before = descriptors();
    let failed = (0..200).filter(|_| spawn(&spec).is_err()).count();
    Ok(json!({"failed": failed, "before": before, "after": descriptors()}))
}

/// Starts a child with one descriptor more at each try, until one can be started.
fn starved() -> Result<Value, Box<dyn Error>> {
    use rustix::process::{Resource, WaitOptions, getrlimit, setrlimit, wait};
    let spec = SpawnSpec::new("/bin/sleep").args(["1000"]).lane(true).worker_id(1);
    let spec = spec.stdio(Stdio::Piped, Stdio::Piped, Stdio::Piped);
    // Low numbers are taken, so that no source must be moved away from a target: that needs one
    // descriptor for a moment, and the pidfd at the end could never be the one too many.
    let low: Vec<_> = (0..8).map(|_| std::fs::File::open("/dev/null")).collect();
    let before = descriptors();
    let limit = getrlimit(Resource::Nofile);
    let mut failed = 0;
    let mut started = loop {
        setrlimit(
            Resource::Nofile,
            rustix::process::Rlimit { current: Some(before.len() as u64 + failed), ..limit },
        )?;
        match spawn(&spec) {
            Ok(spawned) => break spawned,
            Err(error) if error.kind() == SpawnErrorKind::System => failed += 1,
            Err(error) => return Err(error.into()),
        }
    };
    setrlimit(Resource::Nofile, limit)?;
    started.process.signal(9)?;
    while started.process.try_wait()?.is_none() {
        std::thread::yield_now();
    }
    drop(started);
    let children_left = wait(WaitOptions::NOHANG).err() != Some(rustix::io::Errno::CHILD);
    let after = descriptors();
    drop(low);
    Ok(json!({
        "failed": failed, "before": before, "after": after, "children_left": children_left,
    }))
}

/// Exit codes of two children of a process that ignores SIGCHLD, as one inherits it from some init
/// scripts. Were it still ignored at the start of a child, the code would be lost.
fn children() -> Result<Value, Box<dyn Error>> {
    use nix::sys::signal::{SigHandler, Signal, signal};
    let mut codes = Vec::new();
    for code in ["0", "7"] {
        // SAFETY: ignoring a signal runs no code of ours, and nothing here relies on SIGCHLD.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
        let spec = SpawnSpec::new("/bin/sh").args(["-c", "exit $0", code]).channel(false);
        let mut process = spawn(&spec)?.process;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        codes.push(runtime.block_on(process.wait())?.code());
    }
    Ok(codes.into())
}
