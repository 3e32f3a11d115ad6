//! Node.js as the other side of a test: finding it, its version, and the scripts in `fixtures/`.
//!
//! Where Node is missing a test says so and returns; with `PORTCREW_REQUIRE_NODE=1` it fails instead. A test begins
//! with `let node = require_node!();`.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::Program;

/// A Node.js that answered when it was asked for its version.
#[derive(Clone, Debug)]
pub struct Node {
    path: PathBuf,
    version: Version,
}

/// Node's version, comparable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The release line, as 20 in v20.11.1.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Node {
    /// The program that `PORTCREW_NODE` names, else `node` on `PATH`; none when it does not answer `--version`.
    #[must_use]
    pub fn find() -> Option<Self> {
        let path = match std::env::var_os("PORTCREW_NODE") {
            Some(path) if !path.is_empty() => PathBuf::from(path),
            _ => on_path("node")?,
        };
        Self::at(path)
    }

    /// One that is new enough: that of [`find`](Self::find), else the oldest line that `scripts/install-runtimes` has
    /// put into the cache.
    #[must_use]
    pub fn since(major: u32, minor: u32) -> Option<Self> {
        let cached = ["22", "24", "latest"].map(|line| format!("runtimes/node-{line}/node"));
        let cached = cache().map(|cache| cached.map(|name| cache.join(name)));
        let cached = cached.into_iter().flatten().filter_map(Self::at);
        Self::find().into_iter().chain(cached).find(|it| it.is_since(major, minor))
    }

    /// Whether it is new enough.
    #[must_use]
    pub fn is_since(&self, major: u32, minor: u32) -> bool {
        (self.version.major, self.version.minor) >= (major, minor)
    }

    fn at(path: PathBuf) -> Option<Self> {
        let answer = Command::new(&path).arg("--version").stdin(Stdio::null()).output().ok()?;
        let version = Version::parse(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Self { path, version })
    }

    /// As [`find`](Self::find); says visibly that the test is skipped when there is none.
    ///
    /// # Panics
    /// When there is none and `PORTCREW_REQUIRE_NODE` is `1`.
    #[must_use]
    pub fn find_or_skip() -> Option<Self> {
        let found = Self::find();
        if found.is_none() {
            let required = std::env::var_os("PORTCREW_REQUIRE_NODE");
            assert!(
                required.as_deref() != Some(OsStr::new("1")),
                "PORTCREW_REQUIRE_NODE=1 and node not found"
            );
            // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("a test");
            let _ = writeln!(std::io::stderr(), "skipped: node not found ({test})");
        }
        found
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Node with the script `name` of this crate's `fixtures/`.
    pub fn fixture(&self, name: &str) -> Program {
        self.script(fixture(name)).name(format!("node {name}"))
    }

    /// Node with any script.
    pub fn script(&self, script: impl AsRef<OsStr>) -> Program {
        // What a developer's shell sets for Node must not change what a test sees.
        Program::new(&self.path)
            .arg(script)
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
    }
}

/// The path of the script `name` in this crate's `fixtures/`.
///
/// # Panics
/// When there is no such script.
#[must_use]
pub fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    assert!(path.is_file(), "no fixture {}", path.display());
    path
}

impl Version {
    /// Reads `v20.11.1`, with or without what follows a `-`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.trim().strip_prefix('v')?.split(['-', '+']).next()?;
        let mut numbers = numbers.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { major: next()?, minor: next()?, patch: next()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The [`Node`](crate::node::Node) to test with; where there is none the test says so and returns.
#[macro_export]
macro_rules! require_node {
    () => {
        match $crate::node::Node::find_or_skip() {
            Some(node) => node,
            None => return,
        }
    };
}

/// Where `scripts/npm-cache` installs, by its rule; none where nothing says where that is.
#[must_use]
pub fn cache() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    named("PORTCREW_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("portcrew")))
        .or_else(|| Some(named("HOME")?.join(".cache/portcrew")))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn a_version_is_read_with_and_without_a_suffix() {
        let plain = Version { major: 20, minor: 11, patch: 1 };
        assert_eq!(Version::parse("v20.11.1\n"), Some(plain));
        assert_eq!(Version::parse("v20.11.1-nightly2024"), Some(plain));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "20.11.1", "v20.11", "v20.x.1", "bun 1.0"] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn versions_compare_by_number_not_by_text() {
        assert!(Version::parse("v9.9.9") < Version::parse("v20.0.0"));
    }
}
