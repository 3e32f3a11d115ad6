//! Runs the example programs and other children for the tests, with a deadline that detects a hang.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::fs::File;
use std::io::read_to_string;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::ExitStatus;

use portcrew_ipc::spawn::{SpawnSpec, Spawned, Stdio, close_on_exec_from, spawn};
use serde_json::Value;

use crate::common::DEADLINE;

/// The path of an example of this crate, which `cargo test` builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(|deps| deps.parent()).unwrap();
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "{} is missing: run `cargo build --examples` first", path.display());
    path
}

/// What a child left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) pid: u32,
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// The report of the example `inherited`.
    pub(crate) fn report(&self) -> Value {
        assert!(self.status.success(), "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Starts a child with its output on pipes and waits for its end.
pub(crate) async fn run(mut spec: SpawnSpec) -> Outcome {
    (spec.stdout, spec.stderr) = (Stdio::Piped, Stdio::Piped);
    finish(spawn(&spec).unwrap()).await
}

/// Reads all that a child writes and reaps it.
pub(crate) async fn finish(spawned: Spawned) -> Outcome {
    let Spawned { mut process, stdout, stderr, channel, lane, .. } = spawned;
    let (stdout, stderr) = (text(stdout), text(stderr));
    let status = match tokio::time::timeout(DEADLINE, process.wait()).await {
        Ok(status) => status.unwrap(),
        Err(_) => {
            process.signal(9).unwrap();
            panic!("the child did not end in {DEADLINE:?}");
        }
    };
    let outcome = Outcome {
        pid: process.pid(),
        status,
        stdout: stdout.await.unwrap(),
        stderr: stderr.await.unwrap(),
    };
    drop((channel, lane));
    outcome
}

/// Reads a pipe to its end, beside the test.
pub(crate) fn text(pipe: Option<OwnedFd>) -> tokio::task::JoinHandle<String> {
    tokio::task::spawn_blocking(move || {
        pipe.map(|pipe| read_to_string(File::from(pipe)).unwrap()).unwrap_or_default()
    })
}

/// A child of the example `inherited` with this environment.
pub(crate) fn inherited(env: &[(&str, &str)]) -> SpawnSpec {
    // As every primary does at start: whatever this test run inherited itself is not the child's.
    close_on_exec_from(3).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    SpawnSpec::new(example("inherited")).env(env)
}

/// The ignored and the blocked signals in a text of `/proc/<pid>/status`, bit n-1 for signal n.
pub(crate) fn masks(status: &str) -> [u64; 2] {
    // Signals 32 and 33 belong to the C library, which leaves them ignored in what it spawns.
    const LIBRARY: u64 = 0b11 << 31;
    ["SigIgn:", "SigBlk:"].map(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & !LIBRARY
    })
}

/// `sh -c script`, with a usual PATH and no channel.
pub(crate) fn shell(script: &str) -> SpawnSpec {
    let path = ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into());
    SpawnSpec::new("/bin/sh").args(["-c", script]).env([path]).channel(false)
}
