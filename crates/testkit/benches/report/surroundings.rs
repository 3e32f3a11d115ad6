//! When and on what it was measured, besides what each benchmark says itself.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::date;

/// The file that it is kept in.
const FILE: &str = "surroundings.json";

/// Of the whole run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Surroundings {
    pub(crate) date: String,
    pub(crate) quick: bool,
    pub(crate) rustc: String,
    /// MiB.
    pub(crate) memory: u64,
    /// What the processor calls itself; nothing where the kernel does not tell.
    pub(crate) processor: String,
    pub(crate) load_before: String,
    pub(crate) load_after: String,
}

impl Surroundings {
    pub(crate) fn look(quick: bool) -> Self {
        Self {
            date: date::today(),
            quick,
            rustc: rustc().unwrap_or_default(),
            memory: field("/proc/meminfo", "MemTotal")
                .and_then(|it| it.split(' ').next()?.parse::<u64>().ok())
                .map_or(0, |kib| kib / 1024),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            load_before: load(),
            load_after: String::new(),
        }
    }

    /// To be read again when the run is over, or later.
    pub(crate) fn keep(&self, directory: &Path) -> Result<(), Failure> {
        Ok(serde_json::to_writer_pretty(File::create(directory.join(FILE))?, self)?)
    }

    pub(crate) fn again(directory: &Path) -> Result<Self, Failure> {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}; measure first", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    pub(crate) fn note_end(directory: &Path) -> Result<(), Failure> {
        Self { load_after: load(), ..Self::again(directory)? }.keep(directory)
    }
}

fn load() -> String {
    let all = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    all.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn rustc() -> Option<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(rustc).arg("--version").output().ok()?;
    let said = String::from_utf8(answer.stdout).ok()?;
    Some(said.split('(').next()?.trim().to_owned())
}

/// Of a file whose lines are `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut values =
        lines.filter(|(its, _)| its.trim() == name).map(|(_, it)| it.trim().to_owned());
    values.next()
}
