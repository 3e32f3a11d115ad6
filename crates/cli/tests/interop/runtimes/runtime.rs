//! The runtimes: which there are, where they are, and how a script is given to them.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use portcrew_testkit::node::{Node, Version};

use crate::cache;

/// Those of the page, in its order: their directory in the cache, and their program in it.
pub(crate) const ALL: [(&str, &str); 7] = [
    ("node-18", "node"),
    ("node-20", "node"),
    ("node-22", "node"),
    ("node-24", "node"),
    ("node-latest", "node"),
    ("bun", "bun"),
    ("deno", "deno"),
];

/// What a runtime is, as far as it decides what it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Node(Version),
    Bun,
    Deno,
}

/// A runtime that is there.
#[derive(Clone, Debug)]
pub(crate) struct Runtime {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// As it says itself.
    pub(crate) version: String,
    pub(crate) program: PathBuf,
}

impl Runtime {
    /// The one that every machine for tests has.
    pub(crate) fn of_the_system() -> Option<Self> {
        let node = Node::find_or_skip()?;
        let (version, kind) = (node.version().to_string(), Kind::Node(node.version()));
        Some(Self { name: "node".into(), kind, version, program: node.path().into() })
    }

    /// Those of [`ALL`] that are installed. Of the others it is said that they are not.
    pub(crate) fn installed() -> Vec<Self> {
        ALL.iter().filter_map(|(name, program)| Self::find(name, program)).collect()
    }

    fn find(name: &str, program: &str) -> Option<Self> {
        let Some(directory) = cache::installed(&format!("runtimes/{name}")) else {
            cache::skipped(&format!("{name} is not installed; `just interop` installs it"));
            return None;
        };
        let program = directory.join(program);
        let output = Command::new(&program).arg("--version").stdin(Stdio::null()).output();
        let said = String::from_utf8(output.unwrap().stdout).unwrap();
        let said = said.lines().next().unwrap_or_default();
        let version = said.split(' ').find(|it| it.contains('.')).unwrap_or_default().to_owned();
        let kind = match name {
            "bun" => Kind::Bun,
            "deno" => Kind::Deno,
            _ => Kind::Node(Version::parse(&version).unwrap_or_else(|| panic!("{name}: {said}"))),
        };
        Some(Self { name: name.to_owned(), kind, version, program })
    }

    /// The program and its arguments up to the script and with it.
    pub(crate) fn command(&self, script: impl AsRef<OsStr>) -> Vec<OsString> {
        let program = self.program.clone().into_os_string();
        let allowing: &[&str] = match self.kind {
            Kind::Deno => &["run", "-A"],
            Kind::Node(_) | Kind::Bun => &[],
        };
        let words = [program].into_iter().chain(allowing.iter().map(OsString::from));
        words.chain([script.as_ref().to_owned()]).collect()
    }

    /// Whether it is Node, of this version or a later one.
    pub(crate) fn is_node_since(&self, major: u32, minor: u32) -> bool {
        match self.kind {
            Kind::Node(version) => version >= Version { major, minor, patch: 0 },
            Kind::Bun | Kind::Deno => false,
        }
    }
}
