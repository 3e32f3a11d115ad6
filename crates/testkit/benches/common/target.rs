//! What is aimed at, and whether a run reached it.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

use crate::columns::table;

/// One line of the end.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) reached: bool,
}

/// All of them, under a heading; nothing where there are none.
pub(crate) fn print(out: &mut impl Write, targets: &[Target]) -> io::Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Targets\n")?;
    let head = ["target", "wanted", "measured", "reached"];
    let rows = targets.iter().map(|it| {
        let reached = if it.reached { "yes" } else { "**no**" };
        [it.what.clone(), it.wanted.clone(), it.measured.clone(), reached.to_owned()]
    });
    table(out, head, rows)
}

pub(crate) fn nothing(what: &str, found: u64) -> Target {
    let (wanted, measured) = ("0".to_owned(), found.to_string());
    Target { what: what.to_owned(), wanted, measured, reached: found == 0 }
}

pub(crate) fn at_most(what: &str, most: f64, found: f64, shown: &dyn Display) -> Target {
    Target {
        what: what.to_owned(),
        wanted: most.to_string(),
        measured: shown.to_string(),
        reached: found <= most,
    }
}
