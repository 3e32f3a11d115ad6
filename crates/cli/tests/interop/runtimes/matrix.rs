//! The runs: the system's Node in every test run, all that is installed in a whole one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::known::known;
use super::row::{ROWS, Row, Seen};
use super::runtime::{self, Runtime};
use super::{cell, page, programs};
use crate::cache;

/// Cells at once. Most of the time each waits: for processes to start, for a worker that stays up, for a grace.
const AT_ONCE: usize = 4;

/// A row, a runtime, and what came of them.
type Cell<'a> = (&'a Row, &'a Runtime, Result<Seen, String>);

#[test]
fn the_systems_node_does_all_that_its_line_can() {
    if let Some(node) = Runtime::of_the_system() {
        assert_as_known(&run(&[node]));
    }
}

#[test]
fn every_runtime_does_what_its_page_says_no_less_and_no_more() {
    if !cache::whole() {
        return cache::skipped("the other runtimes take part in `just interop`");
    }
    let mut runtimes = Runtime::installed();
    if let Ok(only) = std::env::var("PORTCREW_RUNTIME") {
        runtimes.retain(|it| it.name == only);
        assert_eq!(runtimes.len(), 1, "PORTCREW_RUNTIME={only} is none of {:?}", runtime::ALL);
        // The page is of all columns in one run.
        return assert_as_known(&run(&runtimes));
    }
    assert_eq!(
        runtimes.len(),
        runtime::ALL.len(),
        "`just interop` installs those that are missing"
    );
    assert_as_known(&run(&runtimes));
    page::write(&runtimes);
}

/// All rows for all of them.
fn run(runtimes: &[Runtime]) -> Vec<Cell<'_>> {
    programs::require();
    let all = runtimes.iter().flat_map(|it| ROWS.iter().map(move |row| (row, it)));
    let todo: Mutex<VecDeque<_>> = Mutex::new(all.collect());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((row, runtime)) = next else { return };
                    let seen = cell::run(row, runtime);
                    eprintln!("{}, {:?}: {seen:?}", runtime.name, row.id);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((row, runtime, seen));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn assert_as_known(cells: &[Cell<'_>]) {
    let wrong = cells.iter().filter_map(|(row, runtime, seen)| {
        let expected = known(row.id, runtime.kind).map_or(Ok(()), |it| Err(it.gap));
        let is_known = seen.as_ref().is_ok_and(|seen| *seen == expected);
        let (name, version) = (&runtime.name, &runtime.version);
        (!is_known)
            .then(|| format!("{name} {version}, {}: {seen:?}, expected {expected:?}", row.title))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{} not as the page says:\n{}", wrong.len(), wrong.join("\n"));
}
