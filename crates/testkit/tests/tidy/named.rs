//! The tests that a document names, as `BINARY: module::path::of_the_test`, are in the sources.

use crate::sources::Source;

/// Where the modules of each test binary are. Names that are longer come before those that they end with.
const BINARIES: [(&str, &str); 13] = [
    ("cli it", "crates/cli/tests/it"),
    ("interop", "crates/cli/tests/interop"),
    ("ipc it", "crates/ipc/tests/it"),
    ("ipc processes", "crates/ipc/tests/processes"),
    ("testkit it", "crates/testkit/tests/it"),
    ("crew", "crates/testkit/tests/crew"),
    ("sim", "crates/testkit/tests/sim"),
    ("tidy", "crates/testkit/tests/tidy"),
    ("core", "crates/core/src"),
    ("ipc", "crates/ipc/src"),
    ("portcrew", "crates/portcrew/src"),
    ("cli", "crates/cli/src"),
    ("testkit", "crates/testkit/src"),
];

/// A test as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    binary: &'static str,
    folder: &'static str,
    path: String,
}

/// Every test that a text names. A path has `::` in it: `core: a machine` is prose.
pub(crate) fn tests(text: &str) -> Vec<Named> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(": ") {
        let is_name = |(name, _): &&(&str, &str)| ends_with_word(&text[..at], name);
        let Some((binary, folder)) = BINARIES.iter().find(is_name) else {
            continue;
        };
        let rest = &text[at + 2..];
        let end = rest.find(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == ':'));
        let path = &rest[..end.unwrap_or(rest.len())];
        if path.contains("::") {
            found.push(Named { binary, folder, path: path.to_owned() });
        }
    }
    found
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let before = text.strip_suffix(word);
    before.is_some_and(|it| !it.ends_with(|it: char| it.is_ascii_alphanumeric() || it == '-'))
}

impl Named {
    /// Why it is not there; none where it is.
    pub(crate) fn is_missing(&self, sources: &[Source]) -> Option<String> {
        let (modules, name) = self.path.rsplit_once("::")?;
        let modules: Vec<_> = modules.split("::").collect();
        let wrong = |why: &str| Some(format!("`{}: {}`: {why}", self.binary, self.path));
        let Some((source, inline)) = self.file(&modules, sources) else {
            return wrong("there is no such module");
        };
        if let Some(module) =
            inline.iter().find(|it| !source.text.contains(&format!("mod {it} {{")))
        {
            return wrong(&format!("{} has no module `{module}`", source.path));
        }
        match has_test(&source.text, name) {
            true => None,
            false => wrong(&format!("{} has no such test", source.path)),
        }
    }

    /// The file that the modules lead to, and those of them that are written inside of it.
    fn file<'a, 'm>(
        &self,
        modules: &'m [&'m str],
        sources: &'a [Source],
    ) -> Option<(&'a Source, &'m [&'m str])> {
        (1..=modules.len()).rev().find_map(|outer| {
            let (outer, inline) = modules.split_at(outer);
            let path = format!("{}/{}", self.folder, outer.join("/"));
            let is_it = |it: &&Source| {
                it.path == format!("{path}.rs") || it.path == format!("{path}/mod.rs")
            };
            Some((sources.iter().find(is_it)?, inline))
        })
    }
}

/// Whether a function of this name stands below an attribute that makes it a test.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    let declares = |line: &str| {
        let head = line.trim_start_matches("async ").strip_prefix("fn ");
        head.and_then(|it| it.strip_prefix(name)).is_some_and(|it| it.starts_with('('))
    };
    let is_above = |line: &&str| line.starts_with("#[") || line.starts_with("//");
    (0..lines.len()).filter(|at| declares(lines[*at])).any(|at| {
        let above = lines[..at].iter().rev().copied().take_while(is_above);
        above.into_iter().any(|it| it.starts_with("#[test]") || it.starts_with("#[tokio::test"))
    })
}

#[test]
fn tests_are_named_by_their_binary_and_their_path() {
    let text =
        "| x | `crew: kills::a_b`, `cli it: c::d` (it: e::f) core: a machine | core: g::tests::h";
    let named: Vec<_> =
        tests(text).iter().map(|it| format!("{}: {}", it.binary, it.path)).collect();
    assert_eq!(named, ["crew: kills::a_b", "cli it: c::d", "core: g::tests::h"]);
}

#[test]
fn a_name_that_leads_nowhere_is_told_with_the_reason() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let sources = [
        source("crates/testkit/tests/crew/kills.rs", "#[test]\nfn it_dies() {}\nfn helper() {}\n"),
        source(
            "crates/core/src/a/mod.rs",
            "mod tests {\n    #[test]\n    // Why.\n    fn b() {}\n}\n",
        ),
    ];
    let missing = |text: &str| tests(text)[0].is_missing(&sources);
    assert_eq!(missing("crew: kills::it_dies"), None);
    assert_eq!(missing("core: a::tests::b"), None);
    for wrong in
        ["crew: kills::it_lives", "crew: kills::helper", "crew: kill::it_dies", "core: a::more::b"]
    {
        assert!(missing(wrong).is_some(), "{wrong}");
    }
}
