//! The table of `docs/any-language.md`: what a whole run has found.

use std::fs;
use std::sync::{Mutex, PoisonError};

use super::all::{ALL, Recipe};
use super::page;
use super::traffic::Books;
use super::trial::Trial;
use super::world::installed;
use crate::machine::{machine, today};

const BEGIN: &str = "<!-- recipes: written by `just recipes` -->\n";
const END: &str = "<!-- end of recipes -->\n";

/// Remembers it. With the last of all the table is written: a run in which one fails leaves the old one.
pub(crate) fn passed(recipe: &Recipe, trials: [Trial; 2]) {
    static ROWS: Mutex<Vec<(&str, [Trial; 2])>> = Mutex::new(Vec::new());
    // A test that failed did not get here, and nothing below panics while it holds the lock but the last.
    let mut rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    rows.push((recipe.name, trials));
    if rows.len() == ALL.len() {
        let page = fs::read_to_string(page::path()).unwrap();
        let versions = fs::read_to_string(installed().join("versions")).unwrap();
        fs::write(page::path(), with_table(&page, &text(&rows, &versions))).unwrap();
    }
}

/// The page with this between its marks.
fn with_table(page: &str, table: &str) -> String {
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for it");
    let (_, after) = rest.split_once(END).expect("and that has an end");
    format!("{before}{BEGIN}{table}{END}{after}")
}

fn text(rows: &[(&str, [Trial; 2])], versions: &str) -> String {
    let mut text = format!("\nRun of {}, {}.\n\n", today(), machine());
    text.push_str(
        "| recipe | versions | a reload | 10 kills | a reload, `kernel` | 10 kills, `kernel` |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    for recipe in &ALL {
        let (_, trials) = rows.iter().find(|it| it.0 == recipe.name).expect("each has passed");
        let named = |line: &'_ str| {
            let (name, versions) = line.split_once(": ")?;
            (name == recipe.name).then(|| versions.to_owned())
        };
        let versions = versions.lines().find_map(named).expect("each has a version");
        let cells = trials.iter().flat_map(|it| [&it.reload, &it.kills]).map(Books::cell);
        let cells = cells.collect::<Vec<_>>().join(" | ");
        text.push_str(&format!("| {} | {versions} | {cells} |\n", recipe.heading));
    }
    text.push('\n');
    text
}

#[test]
fn what_is_written_stands_between_the_marks_alone() {
    let page = format!("a\n{BEGIN}old\n{END}b\n");
    assert_eq!(with_table(&page, "new\n"), format!("a\n{BEGIN}new\n{END}b\n"));
}
