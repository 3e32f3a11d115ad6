//! The benchmarks of which this one is made: builds them, runs one after another, and keeps what each says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::Failure;
use crate::args::Args;
use crate::interrupt::Interrupt;
use crate::surroundings::Surroundings;

/// Between two looks at whether one has ended.
const LOOK: Duration = Duration::from_millis(100);

/// One of them.
#[derive(Debug)]
pub(crate) struct Part {
    /// Cargo's name of it.
    pub(crate) name: &'static str,
    /// What is said to it, in a full run and in a glance.
    full: &'static [&'static str],
    quick: &'static [&'static str],
    output: Output,
}

/// What it prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Tables; the figures go into a file.
    Tables,
    /// Figures; its tables have a page of their own.
    Figures,
}

/// All of them, those that the sources have.
pub(crate) const PARTS: [Part; 4] = [
    part("compare", &[], &["--quick"], Output::Tables),
    part("tail", &["--rounds", "7"], &["--quick", "--rounds", "1"], Output::Tables),
    part("costs", &[], &["--quick"], Output::Tables),
    part("ipc", &[], &["--quick"], Output::Figures),
];

const fn part(
    name: &'static str,
    full: &'static [&'static str],
    quick: &'static [&'static str],
    output: Output,
) -> Part {
    Part { name, full, quick, output }
}

impl Part {
    /// What it found, as figures.
    pub(crate) fn json(&self, directory: &Path) -> PathBuf {
        directory.join(self.name).with_extension("json")
    }

    /// What it said, as tables.
    pub(crate) fn markdown(&self, directory: &Path) -> PathBuf {
        directory.join(self.name).with_extension("md")
    }

    fn is_there(&self) -> bool {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(self.name).is_dir()
    }
}

/// Runs those that are there.
pub(crate) fn measure(args: &Args, interrupt: &Interrupt) -> Result<(), Failure> {
    let parts: Vec<_> = PARTS.iter().filter(|it| it.is_there()).collect();
    let programs = build(&parts)?;
    for part in parts {
        interrupt.check()?;
        let program = programs.get(part.name).ok_or("cargo does not say what it has built")?;
        run(part, program, args, interrupt)?;
    }
    Surroundings::note_end(&args.measured())
}

/// Where cargo has put each of them.
fn build(parts: &[&Part]) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["bench", "--no-run", "--message-format", "json-render-diagnostics"]);
    command.args(["-p", "portcrew-testkit"]).current_dir(Args::root()).stdout(Stdio::piped());
    for part in parts {
        command.args(["--bench", part.name]);
    }
    let mut child = command.spawn()?;
    let mut programs = BTreeMap::new();
    for line in BufReader::new(child.stdout.take().ok_or("cargo has no output")?).lines() {
        let Ok(message) = serde_json::from_str::<Value>(&line?) else { continue };
        let (name, program) = (&message["target"]["name"], &message["executable"]);
        if let (Some(name), Some(program)) = (name.as_str(), program.as_str()) {
            programs.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    let well = child.wait()?.success();
    if well { Ok(programs) } else { Err("the benchmarks could not be built".into()) }
}

fn run(part: &Part, program: &Path, args: &Args, interrupt: &Interrupt) -> Result<(), Failure> {
    let directory = args.measured();
    let words = if args.quick { part.quick } else { part.full };
    let mut command = Command::new(program);
    command.args(words);
    let json = part.json(&directory);
    match part.output {
        Output::Tables => {
            command.arg("--json-file").arg(json).stdout(File::create(part.markdown(&directory))?)
        }
        Output::Figures => command.arg("--json").stdout(File::create(json)?),
    };
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            let name = part.name;
            let why =
                || format!("the benchmark {name} has failed ({status}); the reason stands above");
            return if status.success() { Ok(()) } else { Err(why().into()) };
        }
        if interrupt.check().is_err() {
            return end(child);
        }
        thread::sleep(LOOK);
    }
}

/// It stops what it has started, and then itself.
fn end(mut child: Child) -> Result<(), Failure> {
    kill_process(Pid::from_child(&child), Signal::TERM)?;
    child.wait()?;
    Err("interrupted".into())
}
