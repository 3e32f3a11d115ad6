//! docs/reliability.md: each fault has a test that is there, or the reason why it has none.

use crate::named;
use crate::report;
use crate::sources::{document, sources};

const PAGE: &str = "docs/reliability.md";

/// Below this heading are the tables of faults, up to the next of its kind.
const HEADING: &str = "## Every fault and its test";

/// What the last cell of a fault without a test begins with; the reason follows.
const NONE: &str = "none: ";

#[test]
fn every_test_that_the_page_names_is_in_the_sources() {
    let sources = sources();
    let named = named::tests(&document(PAGE));
    assert!(named.len() > 20, "the page names too few tests to be read rightly: {}", named.len());
    report(named.into_iter().filter_map(|it| it.is_missing(&sources)));
}

#[test]
fn every_fault_has_a_test_or_a_written_reason() {
    let page = document(PAGE);
    let faults = rows(&page);
    assert!(faults.len() > 10, "the page has too few faults to be read rightly: {}", faults.len());
    report(faults.into_iter().filter_map(wrong));
}

#[test]
fn every_table_of_faults_has_a_row() {
    let page = document(PAGE);
    report(empty(&page).into_iter().map(|heading| format!("no fault below: {heading}")));
}

/// The lines about faults: headings, tables, and what is between.
fn lines(page: &str) -> impl Iterator<Item = &str> {
    let below = page.lines().skip_while(|line| *line != HEADING).skip(1);
    below.take_while(|line| !line.starts_with("## "))
}

/// The rows of the tables of faults, by their lines.
fn rows(page: &str) -> Vec<&str> {
    lines(page).filter(|line| is_row(line)).collect()
}

fn is_row(line: &str) -> bool {
    line.starts_with('|') && !line.starts_with("|-") && !line.starts_with("| fault ")
}

/// The headings below which there is no row.
fn empty(page: &str) -> Vec<&str> {
    let mut empty: Vec<&str> = Vec::new();
    let mut last = None;
    for line in lines(page) {
        if line.starts_with("### ") {
            empty.extend(last.replace(line));
        } else if is_row(line) {
            last = None;
        }
    }
    empty.extend(last);
    empty
}

fn wrong(row: &str) -> Option<String> {
    let cells: Vec<_> = row.trim().trim_matches('|').split('|').map(str::trim).collect();
    let sound = cells.len() == 3 && cells.iter().all(|it| !it.is_empty());
    let answered =
        cells.last().is_some_and(|it| it.starts_with(NONE) || !named::tests(it).is_empty());
    match (sound, answered) {
        (true, true) => None,
        (false, _) => Some(format!("not three cells: {row}")),
        (true, false) => Some(format!("neither a test nor `{NONE}` and a reason: {row}")),
    }
}

#[test]
fn a_heading_without_a_row_is_found() {
    let head = "| fault | what holds | test |\n|---|---|---|\n";
    let row = "| it dies | all | none: nobody can |\n";
    let page = format!("{HEADING}\n### A\n{head}### B\n{head}{row}### C\n{head}## D\n### E\n");
    assert_eq!(empty(&page), ["### A", "### C"]);
}

#[test]
fn a_row_without_a_test_and_without_a_reason_is_wrong() {
    let page = "## A\n| a | b | c |\n## Every fault and its test\n\n### Workers\n\n| fault | what holds | test |\n|---|---|---|\n\
        | it dies | all | `crew: kills::it_dies` |\n| it flies | all | none: nobody can |\n| it lies | all | later |\n\
        | it tries | |\n## B\n| a | b | c |\n";
    let rows = rows(page);
    assert_eq!(rows.len(), 4, "{rows:?}");
    let wrong: Vec<_> = rows.iter().map(|row| wrong(row).is_some()).collect();
    assert_eq!(wrong, [false, false, true, true]);
}
