//! Where cargo put the programs of this workspace.
//!
//! A test of the crate that owns a binary uses `env!("CARGO_BIN_EXE_…")`. Everything else is found beside the test
//! program itself, in the same target directory and profile. `cargo test --workspace` builds binaries and examples
//! first; a narrower command may leave old ones there or none. An old binary of this crate is refused.

use std::path::{Path, PathBuf};

use crate::fixture::is_ours;

/// The example program `name` of any crate of the workspace.
///
/// # Panics
/// When it was not built; the message names the command that builds it.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    require(&profile_directory().join("examples").join(name), "--examples")
}

/// The fixture `name` of this crate, for a test of another one.
///
/// # Panics
/// When it was not built, or of other sources than the test; the message names the command that builds it.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    up_to_date(require(&profile_directory().join(name), "--bins"))
}

/// The command `portcrew`, in the profile of this program.
///
/// # Panics
/// When it was not built; the message names the command that builds it.
#[must_use]
pub fn command() -> PathBuf {
    require(&profile_directory().join("portcrew"), "--bins")
}

fn up_to_date(path: PathBuf) -> PathBuf {
    match is_ours(&path) {
        Ok(true) => path,
        Ok(false) => panic!(
            "{} was built of other sources than this test; run: {}",
            path.display(),
            builder("--bins")
        ),
        Err(error) => panic!("{} cannot be read: {error}", path.display()),
    }
}

fn require(path: &Path, kind: &str) -> PathBuf {
    assert!(path.is_file(), "{} is not built; run: {}", path.display(), builder(kind));
    path.to_path_buf()
}

/// That which builds it, in the profile of this program.
fn builder(kind: &str) -> String {
    let profile =
        match profile_directory().file_name().map(|name| name.to_string_lossy().into_owned()) {
            Some(name) if name != "debug" => format!(" --profile {name}"),
            _ => String::new(),
        };
    format!("cargo build --workspace {kind}{profile}")
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::catch_unwind;

    use super::*;

    /// What is said against a fixture that holds these bytes.
    fn complaint(bytes: &[u8]) -> Option<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, bytes).unwrap();
        let path = file.path().to_owned();
        catch_unwind(|| up_to_date(path)).err().map(|panic| *panic.downcast::<String>().unwrap())
    }

    #[test]
    fn a_fixture_of_other_sources_is_refused_with_the_command_that_builds_it() {
        let old = complaint(b"\xff\x7fELF portcrew-testkit of the sources 0123456789abcdef\0");
        let old = old.expect("it is refused");
        assert!(old.contains("of other sources than this test"), "{old}");
        assert!(old.contains("run: cargo build --workspace --bins"), "{old}");
    }

    #[test]
    fn a_program_of_the_same_sources_is_taken() {
        let this = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(complaint(&this), None);
    }
}
