//! The rows, in groups. A group is a directory, a row is a file named after its test.

mod child;
mod dgram;
mod events;
mod leaving;
mod life;
mod listen;

use std::collections::BTreeSet;

use crate::row::{Row, Verdict};

/// Rows that belong together on the page.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) rows: &'static [&'static Row],
}

/// The groups, in the order of the page.
pub(crate) fn groups() -> [Group; 6] {
    [
        Group { title: "Settings and events", rows: events::ROWS },
        Group { title: "Life and death of workers", rows: life::ROWS },
        Group { title: "Leaving", rows: leaving::ROWS },
        Group { title: "Listening", rows: listen::ROWS },
        Group { title: "Datagrams", rows: dgram::ROWS },
        Group { title: "Messages, handles and plain children", rows: child::ROWS },
    ]
}

/// Every row.
pub(crate) fn all() -> Vec<&'static Row> {
    groups().into_iter().flat_map(|group| group.rows.iter().copied()).collect()
}

/// Whether each row is there once, and those that claim something show it.
pub(crate) fn check() -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for row in all() {
        let name = row.name;
        if !seen.insert(name) {
            return Err(format!("{name}: there twice"));
        }
        let shown = !row.proofs.is_empty();
        let claims = matches!(row.verdict, Verdict::Passes | Verdict::Differs(_));
        if shown != claims {
            return Err(format!("{name}: {:?} with {} tests", row.verdict, row.proofs.len()));
        }
        let pairings = row.proofs.iter().map(|it| it.pairing.name()).collect::<BTreeSet<_>>();
        if pairings.len() != row.proofs.len() {
            return Err(format!("{name}: two tests for one pairing"));
        }
    }
    Ok(())
}
