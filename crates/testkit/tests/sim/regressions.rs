//! Short schedules that once broke a promise, kept as files: with the fault planted each breaks it again, and without it
//! none does.
//!
//! What a schedule means hangs on what the world draws. Where a change of the world makes one meaningless, the test says
//! so, and `PORTCREW_SIM_RECORD=1` finds and shrinks anew what each file's fault breaks. A new file begins with the line
//! `mutation Name`; a fault of the machine's own gets a mutation that plants it once more.

use std::path::{Path, PathBuf};
use std::{env, fs};

use portcrew_testkit::sim::recording::{Recording, Replayed, named};
use portcrew_testkit::sim::{self, Mutation};

use crate::mutations::found;

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/regressions");
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let mut files: Vec<_> = entries.map(|it| it.expect("an entry can be read").path()).collect();
    files.sort();
    files
}

#[test]
fn what_once_broke_a_promise_does_so_with_its_fault_and_does_not_without() {
    let files = files();
    assert!(files.len() >= 10, "only {} are there", files.len());
    for path in files {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let name = path.display();
        if env::var_os("PORTCREW_SIM_RECORD").is_some() {
            record(&path, &text);
            continue;
        }
        let recording: Recording = text.parse().unwrap_or_else(|it| panic!("{name}: {it}"));
        if let Err(violation) = recording.replay(None).outcome {
            panic!("{name} fails without its fault: {violation}");
        }
        let replayed = recording.replay(recording.mutation);
        assert!(is_as_it_was(&recording, &replayed), "{name}: {}", outdated(&replayed));
    }
}

/// One that is kept with its fault is to be found by the same check; of one without only the choices can tell.
fn is_as_it_was(recording: &Recording, replayed: &Replayed) -> bool {
    match &replayed.outcome {
        Err(violation) => format!("{:?}", violation.broken.check) == recording.check,
        Ok(_) => recording.mutation.is_none() && replayed.tape.agrees_with(&recording.tape),
    }
}

fn outdated(replayed: &Replayed) -> String {
    format!(
        "it is not what it was: {:?}\nWhere the simulator's world has changed, record it again: \
         PORTCREW_SIM_RECORD=1 cargo test -p portcrew-testkit --test sim regressions",
        replayed.outcome.as_ref().map(|_| "every promise holds").map_err(|it| &it.broken)
    )
}

/// Finds what this file's fault breaks, and writes down the shortest schedule for it, with what happens in it.
fn record(path: &Path, text: &str) {
    let line = text.lines().find_map(|it| it.strip_prefix("mutation "));
    let Some(mutation) = line.map(|it| named(it).unwrap_or_else(|it| panic!("{it}"))) else {
        return println!("{} is kept: it has no fault", path.display());
    };
    fs::write(path, shortest(mutation)).expect("the file can be written");
}

fn shortest(mutation: Mutation) -> String {
    let (seed, _) = found(mutation).unwrap_or_else(|| panic!("{mutation:?} is not found"));
    let violation = sim::shortest(seed, Some(mutation)).expect("the seed fails once more");
    let short = violation.short.expect("it is shrunk");
    let trace: String = short.trace.iter().map(|it| format!("# {it}\n")).collect();
    format!("# {}\n#\n{trace}{}", short.what, short.recording)
}
