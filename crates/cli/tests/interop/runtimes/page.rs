//! `docs/runtimes.md`: what the last whole run has found. The table follows from what is known, which every run proves.

use std::fs;
use std::path::{Path, PathBuf};

use portcrew_testkit::node::Version;

use super::known::known;
use super::row::ROWS;
use super::runtime::{ALL, Kind, Runtime};
use crate::cache;
use crate::machine::{machine, today};

/// The titles of the columns, with a version that stands for the line.
const COLUMNS: [(&str, Kind); 7] = [
    ("Node 18", line(18)),
    ("Node 20", line(20)),
    ("Node 22", line(22)),
    ("Node 24", line(24)),
    ("Node newest", line(26)),
    ("Bun", Kind::Bun),
    ("Deno", Kind::Deno),
];

/// The last of a line of Node.
const fn line(major: u32) -> Kind {
    Kind::Node(Version { major, minor: u32::MAX, patch: 0 })
}

/// Writes the page for these runtimes, in the order of [`ALL`].
pub(crate) fn write(runtimes: &[Runtime]) {
    let mut text =
        format!("{}\n{}\n## Run of {}\n\n", INTRODUCTION.trim_start(), matrix(), today());
    text.push_str(&format!("{}.\n\n| runtime | version |\n|---|---|\n", machine()));
    for ((title, _), runtime) in COLUMNS.iter().zip(runtimes) {
        text.push_str(&format!("| {title} | {} |\n", runtime.version.trim_start_matches('v')));
    }
    fs::write(path(), text).unwrap();
}

/// The table and its notes.
fn matrix() -> String {
    let titles: Vec<_> = COLUMNS.iter().map(|(title, _)| *title).collect();
    let mut text = format!("| | {} |\n|---|{}\n", titles.join(" | "), "---|".repeat(ALL.len()));
    let mut notes: Vec<&str> = Vec::new();
    for row in &ROWS {
        let cells = COLUMNS.iter().map(|(_, kind)| match known(row.id, *kind) {
            None => "✓".to_owned(),
            Some(gap) => {
                let seen = notes.iter().position(|why| *why == gap.why);
                let number = seen.unwrap_or_else(|| {
                    notes.push(gap.why);
                    notes.len() - 1
                });
                format!("{} [{}]", gap.short, number + 1)
            }
        });
        text.push_str(&format!("| {} | {} |\n", row.title, cells.collect::<Vec<_>>().join(" | ")));
    }
    text.push('\n');
    for (number, why) in notes.iter().enumerate() {
        text.push_str(&wrapped(&format!("{}. {why}", number + 1)));
    }
    text
}

/// In lines of 120 columns, those after the first indented as the text of a list.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last().expect("there is one");
        let is_full = last.chars().count() + 1 + word.chars().count() > 120;
        match lines.last_mut() {
            Some(last) if !is_full && last.is_empty() => last.push_str(word),
            Some(last) if !is_full => last.extend([" ", word]),
            _ => lines.push(format!("   {word}")),
        }
    }
    lines.join("\n") + "\n"
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runtimes.md")
}

const INTRODUCTION: &str = "
# Runtimes

Other runtimes as workers of a portcrew primary, and Node's own primary with workers of portcrew. All run one script
(`crates/cli/tests/interop/runtimes/worker.cjs`); `portcrew run deno run -A server.cjs` and `portcrew run bun server.js`
are how they are started.

```sh
just interop          # installs what is missing into a cache outside the repository, runs all, writes this page
just interop --fresh  # the same with the newest of each line
```

The check of each row is beside the script. A gap is something that was seen, and the run fails when a runtime does
worse than this page says, and when it does better.

Three things hold for all of them. A worker that binds a port by itself **and** announces it, as Bun does, is named by
the command (`worker 1 binds port 3000 by itself; …`), in its JSON (`self-bound`) and by the library
(`Event::SelfBound`). One that binds without a word (`exclusive`; `reusePort` in Node since 22.12 and in Deno;
`Bun.serve`, `Deno.serve`) cannot be seen by its primary: when the start deadline has passed, the command says what to
look at, and a reload, which waits for it in vain, is rolled back. And a descriptor is sent only when the worker has
read the messages before it: Deno loses it otherwise, and with it the connection and the worker.
";

#[test]
fn the_page_has_the_table_that_follows_from_what_is_known() {
    if cache::whole() {
        return cache::skipped("this run writes the page anew");
    }
    let page = fs::read_to_string(path()).unwrap();
    assert!(page.contains(&matrix()), "docs/runtimes.md is stale: run `just interop`");
    assert!(page.starts_with(INTRODUCTION.trim_start()), "docs/runtimes.md is stale too");
}

#[test]
fn every_column_is_a_runtime_that_is_installed() {
    let names = ALL.map(|(name, _)| name);
    assert_eq!(names, ["node-18", "node-20", "node-22", "node-24", "node-latest", "bun", "deno"]);
    assert_eq!(COLUMNS.len(), names.len());
}
