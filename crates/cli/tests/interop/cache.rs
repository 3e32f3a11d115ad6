//! What npm has, installed once into a cache outside the repository (`scripts/npm-cache`).

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether everything is to run: `PORTCREW_INTEROP=1`.
pub(crate) fn whole() -> bool {
    std::env::var_os("PORTCREW_INTEROP").as_deref() == Some(OsStr::new("1"))
}

/// The directory of the cache that holds `packages` in its `node_modules`, by `name` (`frameworks/express`).
///
/// What is missing is installed. Without [`whole`] there is none, and the test says that it is skipped.
///
/// # Panics
/// When npm is missing or fails, with what it said.
pub(crate) fn npm(name: &str, packages: &[&str]) -> Option<PathBuf> {
    if !whole() {
        skipped(&format!("{name} takes part in `just interop`"));
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/npm-cache");
    let output = Command::new(script)
        .arg(name)
        .args(packages)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("bash is there");
    assert!(output.status.success(), "{name} could not be installed; its reason stands above");
    let directory = String::from_utf8(output.stdout).expect("a path in UTF-8");
    Some(PathBuf::from(directory.trim_end()))
}

/// As [`npm`], but never installs and says nothing.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let directory = root()?.join(name);
    directory.join(".packages").is_file().then_some(directory)
}

/// Says that a test, or a part of it, did not run and why.
pub(crate) fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {why} ({test})");
}

/// Where the cache is, by the rule of `scripts/npm-cache`.
pub(crate) fn root() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    named("PORTCREW_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("portcrew")))
        .or_else(|| Some(named("HOME")?.join(".cache/portcrew")))
}
