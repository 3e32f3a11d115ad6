//! The house rules that a program can count, so that nobody has to argue about them.

mod functions;
mod named;
mod rows;
mod sources;

use sources::{Source, crates, sources};

/// Lines of a file, tests included.
const FILE_LINES: usize = 500;
/// Lines of a function, signature and braces included: a screen.
const FUNCTION_LINES: usize = 60;

/// Which of our crates each crate may depend on. Arrows point one way.
const ARROWS: [(&str, &[&str]); 5] = [
    ("core", &[]),
    ("ipc", &[]),
    ("portcrew", &["portcrew-core", "portcrew-ipc"]),
    ("cli", &["portcrew", "portcrew-core", "portcrew-ipc"]),
    ("testkit", &["portcrew", "portcrew-core", "portcrew-ipc"]),
];

#[test]
fn no_file_is_longer_than_it_may_be() {
    report(sources().into_iter().filter_map(|source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES).then(|| format!("{}: {lines} lines", source.path))
    }));
}

#[test]
fn every_function_fits_a_screen() {
    report(sources().into_iter().flat_map(|source| {
        let long =
            functions::lengths(&source.text).into_iter().filter(|it| it.lines > FUNCTION_LINES);
        let path = source.path.clone();
        long.map(move |it| format!("{path}: fn {} has {} lines", it.name, it.lines))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn every_file_says_at_its_top_what_it_deals_with() {
    report(
        sources()
            .into_iter()
            .filter(|source| !source.text.starts_with("//! "))
            .map(|source| format!("{}: no `//!` header", source.path)),
    );
}

#[test]
fn tables_of_contents_do_not_decide() {
    let is_table =
        |source: &Source| source.path.ends_with("/mod.rs") || source.path.ends_with("/src/lib.rs");
    // Test modules hold their helpers where they are used.
    let is_test = |source: &Source| source.path.contains("/tests/");
    report(sources().into_iter().filter(|source| is_table(source) && !is_test(source)).flat_map(
        |source| {
            let path = source.path.clone();
            let found = functions::lengths(&source.text);
            found.into_iter().map(move |it| format!("{path}: fn {}", it.name)).collect::<Vec<_>>()
        },
    ));
}

#[test]
fn no_arrow_points_upwards() {
    let mut wrong = Vec::new();
    for (name, manifest) in crates() {
        let allowed = ARROWS.iter().find(|(it, _)| *it == name).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            wrong.push(format!("{name}: a crate without a place in the house"));
            continue;
        };
        let ours =
            sources::dependencies(&manifest).into_iter().filter(|it| it.starts_with("portcrew"));
        wrong.extend(
            ours.filter(|it| !allowed.contains(&it.as_str()))
                .map(|it| format!("{name} depends on {it}")),
        );
        if name == "core" {
            let any = sources::dependencies(&manifest);
            wrong.extend(any.into_iter().map(|it| format!("core depends on {it}")));
        }
    }
    report(wrong);
}

#[test]
fn unsafe_code_lives_in_ipc_alone() {
    let forbids =
        |name: &str, text: &str| name == "ipc" || text.contains("#![forbid(unsafe_code)]");
    let roots = ["src/lib.rs", "src/main.rs"];
    report(sources().into_iter().filter_map(|source| {
        let (name, file) = source.path.strip_prefix("crates/")?.split_once('/')?;
        let missing = roots.contains(&file) && !forbids(name, &source.text);
        missing.then(|| format!("{}: no `#![forbid(unsafe_code)]`", source.path))
    }));
}

fn report(found: impl IntoIterator<Item = String>) {
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "{} to mend:\n  {}", found.len(), found.join("\n  "));
}
