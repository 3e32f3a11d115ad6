//! Where cargo put the programs of this workspace.
//!
//! A test of the crate that owns a binary uses `env!("CARGO_BIN_EXE_…")`. Everything else is found beside the test
//! program itself, in the same target directory and profile. `cargo test --workspace` builds binaries and examples
//! first; a narrower command may leave old ones there or none.

use std::path::{Path, PathBuf};

/// The example program `name` of any crate of the workspace.
///
/// # Panics
/// When it was not built; the message names the command that builds it.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    require(&profile_directory().join("examples").join(name), "--examples")
}

/// The binary `name` of any crate of the workspace.
///
/// # Panics
/// As [`example`].
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    require(&profile_directory().join(name), "--bins")
}

fn require(path: &Path, kind: &str) -> PathBuf {
    let profile =
        match profile_directory().file_name().map(|name| name.to_string_lossy().into_owned()) {
            Some(name) if name != "debug" => format!(" --profile {name}"),
            _ => String::new(),
        };
    assert!(
        path.is_file(),
        "{} is not built; run: cargo build --workspace {kind}{profile}",
        path.display()
    );
    path.to_path_buf()
}

/// The test program lies in `target/<profile>/deps/`, an example in `target/<profile>/examples/`, a binary one above.
fn profile_directory() -> PathBuf {
    let this = std::env::current_exe().expect("a running test program has a path");
    let directory = this.parent().expect("a program lies in a directory");
    match directory.file_name().and_then(|name| name.to_str()) {
        Some("deps" | "examples") => directory.parent().unwrap_or(directory).to_path_buf(),
        _ => directory.to_path_buf(),
    }
}
