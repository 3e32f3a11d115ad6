//! `docs/any-language.md`: its command lines are run, and its programs are those that are run.

use std::fs;
use std::path::{Path, PathBuf};

use super::all::{ALL, Recipe};

/// Where every recipe listens on the page. A test takes a free port instead.
pub(crate) const ADDRESS: &str = "127.0.0.1:8000";

/// What every command line begins with.
const COMMAND: &str = "portcrew run ";

pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/any-language.md")
}

/// The programs and configurations of the recipes.
pub(crate) fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/recipes/programs")
}

/// The command line of a recipe, behind `portcrew run `, in one line.
///
/// # Panics
/// When the page has no such recipe, or it has none.
pub(crate) fn command(recipe: &Recipe) -> String {
    let page = fs::read_to_string(path()).unwrap();
    let section = section(&page, recipe.heading);
    let joined = section.replace("\\\n", "");
    let line = joined.lines().find_map(|line| line.strip_prefix(COMMAND));
    line.unwrap_or_else(|| panic!("{} has no command line", recipe.heading)).to_owned()
}

/// What stands below a heading, up to the next.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let begin = format!("\n### {heading}\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no recipe {heading}"));
    rest.split("\n## ").next().unwrap_or(rest).split("\n### ").next().unwrap_or(rest)
}

/// The blocks of code of a text, without their fences, and the language of each.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let inside = text.split("```").skip(1).step_by(2);
    inside.filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn every_recipe_listens_where_the_page_says() {
    for recipe in &ALL {
        let command = command(recipe);
        let begin = format!("--listen {ADDRESS} -w 4 ");
        assert!(command.starts_with(&begin), "{}: {command}", recipe.name);
    }
}

#[test]
fn the_programs_of_the_page_are_those_that_are_run() {
    let page = fs::read_to_string(path()).unwrap();
    let mut shown = 0;
    for recipe in &ALL {
        for (language, text) in blocks(section(&page, recipe.heading)) {
            if matches!(language, "" | "sh") {
                continue;
            }
            // Of a longer program the page has the lines that matter.
            assert!(is_of_a_program(text), "{}: not as it is run:\n{text}", recipe.heading);
            shown += 1;
        }
    }
    assert!(shown > 5, "the page shows too few programs to be read rightly: {shown}");
}

/// Whether these lines are in a program, one after another.
fn is_of_a_program(text: &str) -> bool {
    let mut folders = vec![programs(), super::world::python_programs()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).is_ok_and(|it| it.contains(text)) {
                return true;
            }
        }
    }
    false
}
