//! `docs/node-parity.md`: printed from the rows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::row::{Pairing, Row, Verdict};
use crate::rows::{self, Group};
use crate::suite;
use crate::totals::Totals;

/// Writes the page instead of checking it.
const WRITE: &str = "PORTCREW_WRITE_DOCS";

/// Whether the page in the repository is what the rows say.
pub(crate) fn check() -> Result<(), String> {
    let path = path();
    let page = text()?;
    if std::env::var_os(WRITE).is_some_and(|it| it == "1") {
        return std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()));
    }
    match std::fs::read_to_string(&path) {
        Ok(there) if there == page => Ok(()),
        Ok(_) => Err(format!("docs/node-parity.md is stale: run this test with {WRITE}=1")),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/node-parity.md")
}

fn text() -> Result<String, String> {
    let mut page = HEAD.to_owned();
    let write = |page: &mut String, line: &str| {
        page.push_str(line);
        page.push('\n');
    };
    let rows = rows::all();
    let no_row = suite::without_a_row(&rows)?;
    write(&mut page, &sums(Totals::of(&rows, no_row.len())));
    if !no_row.is_empty() {
        write(&mut page, &format!("\nNo row yet: {}.", no_row.join(", ")));
    }
    for Group { title, rows } in rows::groups() {
        write(&mut page, &format!("\n## {title}\n\n{COLUMNS}"));
        for row in rows {
            write(&mut page, &line(row));
        }
    }
    Ok(page)
}

const HEAD: &str = "\
# Parity with Node's cluster

Printed from the tests in `crates/testkit/tests/parity` (`cargo test -p portcrew-testkit --test parity`); a test fails
when this page says something else. A row is a test of Node's own suite (as of 25.8.1). Its name links nothing here to
Node's code: what it asserts is told in our words and shown by tests of our own, between real processes, in up to three
pairings: **R→N** a portcrew primary with unmodified Node workers, **N→R** Node's own primary with portcrew workers,
**R→R** portcrew on both sides (for `child_process` rows: parent and child). A column is empty where the pairing has
nothing to show, for instance where the row is about an object that only Node has on that side. Where a Node is named,
the test needs one at least so new: the system's, or one of `scripts/install-runtimes`; else it is ignored, and fails in
`just interop`.

";

const COLUMNS: &str =
    "| Node's test | what it asserts | R→N | N→R | R→R | verdict |\n|---|---|---|---|---|---|";

fn sums(totals: Totals) -> String {
    let Totals { passes, differs, not_applicable, missing, no_row, proofs } = totals;
    let permille = totals.permille();
    let mut text = String::new();
    let _ = write!(
        text,
        "| Node's tests | applicable | pass | differ, better | missing | no row yet | not applicable | our tests |\n\
         |---|---|---|---|---|---|---|---|\n\
         | {} | {} | {passes} ({}.{} % of the applicable) | {differs} | {missing} | {no_row} | {not_applicable} \
         | {proofs} |",
        totals.rows(),
        totals.applicable(),
        permille / 10,
        permille % 10,
    );
    text
}

fn line(row: &Row) -> String {
    let mut line = format!("| {} | {} |", row.name, row.asserts);
    for pairing in Pairing::ALL {
        let proof = row.proofs.iter().find(|it| it.pairing == pairing);
        let _ = match proof.map(|it| it.since) {
            None => write!(line, " |"),
            Some(None) => write!(line, " ✓ |"),
            Some(Some((major, minor))) => write!(line, " ✓ (Node ≥ {major}.{minor}) |"),
        };
    }
    let verdict = match row.verdict {
        Verdict::Passes => "pass".to_owned(),
        Verdict::Differs(why) => format!("**differs**: {why}"),
        Verdict::NotApplicable(reason, what) => {
            format!("not applicable ({}): {what}", reason.words())
        }
        Verdict::Missing(what) => format!("**missing**: {what}"),
    };
    let _ = write!(line, " {verdict} |");
    line
}
