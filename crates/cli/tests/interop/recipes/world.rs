//! A directory with everything that a recipe needs, in which its command line is run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::all::Recipe;
use super::page::{ADDRESS, command, programs};
use crate::cache;
use crate::crew::{Crew, portcrew};

/// The name of the first server of the page.
const SERVER: &str = "server.py";

/// A directory as the reader of the page would have it.
pub(crate) struct World {
    directory: TempDir,
    /// Of the programs.
    path: String,
    /// Behind `portcrew run `.
    command: String,
    /// Where it listens.
    pub(crate) address: std::net::SocketAddr,
}

/// The tests of `--listen` run the first of them too.
pub(crate) fn python_programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/listen/programs")
}

/// Whether all are to run, under more load: `PORTCREW_RECIPES=1`.
pub(crate) fn whole() -> bool {
    std::env::var_os("PORTCREW_RECIPES").is_some_and(|it| it == "1")
}

/// What `scripts/install-recipes` has left.
///
/// # Panics
/// When it was not run.
pub(crate) fn installed() -> PathBuf {
    let place = cache::root().expect("there is a cache").join("recipes");
    assert!(place.join("versions").is_file(), "run scripts/install-recipes first");
    place
}

impl World {
    /// None, visibly, where it is not to run.
    pub(crate) fn of(recipe: &Recipe) -> Option<Self> {
        if !whole() && !is_here(recipe) {
            return None;
        }
        let directory = TempDir::new().unwrap();
        let address = portcrew_testkit::ports::free();
        for entry in fs::read_dir(programs()).unwrap() {
            let path = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let place = directory.path().join(path.file_name().unwrap());
            fs::write(place, text.replace(ADDRESS, &address.to_string())).unwrap();
        }
        let server = python_programs().join("prefork.py");
        fs::copy(server, directory.path().join(SERVER)).unwrap();
        let mut path = std::env::var("PATH").unwrap_or_default();
        if whole() {
            let programs = installed().join("bin");
            for program in fs::read_dir(&programs).unwrap() {
                let program = program.unwrap();
                symlink(program.path(), directory.path().join(program.file_name())).unwrap();
            }
            path = format!("{}:{path}", programs.display());
        }
        // A version manager's stand-in takes a second to find it.
        let path = format!("/usr/bin:{path}");
        let command = command(recipe).replace(ADDRESS, &address.to_string());
        Some(Self { directory, path, command, address })
    }

    /// Runs the command line as the reader's shell would, by this policy.
    pub(crate) fn start(&self, policy: &str) -> Crew {
        let line = format!("exec \"$@\" --no-control --policy {policy} {}", self.command);
        let program = portcrew("run")
            .through("/bin/sh", ["-c", &line, "sh"])
            .env("PATH", &self.path)
            // No file of compiled modules beside the programs.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .cwd(self.directory.path())
            .name(&self.command);
        Crew { process: program.start() }
    }
}

/// Whether a recipe can run without an installation.
fn is_here(recipe: &Recipe) -> bool {
    if !recipe.is_quick {
        cache::skipped(&format!("{} takes part in `just recipes`", recipe.name));
        return false;
    }
    let program = if recipe.name == "python" { "python3" } else { recipe.name };
    let search = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&search).any(|it| it.join(program).is_file());
    if !is_there {
        cache::skipped(&format!("{program} is not installed"));
    }
    is_there
}
