//! What a file is to `execve`: a binary, a script with a `#!` line, or nothing that can be executed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::refusal::Refusal;

/// How much of a file's beginning the kernel looks at for a `#!` line, in bytes.
const HEAD: u64 = 256;

/// A regular file that exists.
#[derive(Debug)]
pub(super) struct Executable {
    pub(super) path: PathBuf,
    /// This user may execute it.
    pub(super) permitted: bool,
    pub(super) kind: Kind,
}

/// What a file's first bytes say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ELF binary.
    Native,
    /// A script that names its interpreter.
    HashBang(HashBang),
    /// It may not be read, so nobody can say; a binary can be executed all the same.
    Unreadable,
    Unknown,
}

/// The `#!` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HashBang {
    /// The path that the kernel executes.
    pub(super) interpreter: String,
    /// What `env` would look for in `PATH`, when the interpreter is `env`.
    pub(super) by_env: Option<String>,
}

/// Looks at a file, following symbolic links.
///
/// # Errors
/// A refusal when it does not exist, cannot be looked at, or is no regular file.
pub(super) fn look(path: &Path) -> Result<Executable, Refusal> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Refusal::NoSuchFile(path.to_owned())
        }
        _ => Refusal::CannotLook { path: path.to_owned(), error },
    })?;
    if metadata.is_dir() {
        return Err(Refusal::IsDirectory(path.to_owned()));
    }
    // Reading a pipe or a device could wait for ever.
    if !metadata.is_file() {
        return Err(Refusal::NotAFile(path.to_owned()));
    }
    let kind = head(path).map_or(Kind::Unreadable, |head| kind(&head));
    Ok(Executable { path: path.to_owned(), permitted: is_permitted(path), kind })
}

/// Whether this user may execute the file: its mode, its access list and its mount are asked.
pub(super) fn is_permitted(path: &Path) -> bool {
    rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

fn head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn kind(head: &[u8]) -> Kind {
    if head.starts_with(b"\x7fELF") {
        return Kind::Native;
    }
    match head.strip_prefix(b"#!").and_then(hash_bang) {
        Some(hash_bang) => Kind::HashBang(hash_bang),
        None => Kind::Unknown,
    }
}

/// Reads what follows `#!`. A carriage return is part of the name, as it is for the kernel.
fn hash_bang(rest: &[u8]) -> Option<HashBang> {
    let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let interpreter = words.next()?.to_owned();
    let is_env = Path::new(&interpreter).file_name().is_some_and(|name| name == "env");
    // `env -S node --flag`, `env A=1 node`: the program is the first word that is neither option nor assignment.
    let by_env = words.find(|word| !word.starts_with('-') && !word.contains('='));
    Some(HashBang { interpreter, by_env: by_env.filter(|_| is_env).map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(head: &str) -> (String, Option<String>) {
        match kind(head.as_bytes()) {
            Kind::HashBang(line) => (line.interpreter, line.by_env),
            other => panic!("{head}: {other:?}"),
        }
    }

    #[test]
    fn the_first_line_names_the_interpreter() {
        assert_eq!(named("#!/bin/sh\nx"), ("/bin/sh".into(), None));
        assert_eq!(named("#! /opt/venv/bin/python -u\n"), ("/opt/venv/bin/python".into(), None));
        assert_eq!(named("#!/usr/bin/env node"), ("/usr/bin/env".into(), Some("node".into())));
        assert_eq!(
            named("#!/usr/bin/env -S A=1 node --x y\n"),
            ("/usr/bin/env".into(), Some("node".into()))
        );
        assert_eq!(named("#!/bin/sh\r\n"), ("/bin/sh\r".into(), None));
    }

    #[test]
    fn other_beginnings_are_binaries_or_unknown() {
        assert_eq!(kind(b"\x7fELF\x02\x01"), Kind::Native);
        for head in [b"".as_slice(), b"#!", b"#!  \n", b"# !/bin/sh", b"\x7fEL", b"console.log()"] {
            assert_eq!(kind(head), Kind::Unknown, "{head:?}");
        }
    }

    #[test]
    fn directories_devices_and_missing_files_are_refused() {
        assert!(matches!(look(Path::new("/tmp")), Err(Refusal::IsDirectory(_))));
        assert!(matches!(look(Path::new("/dev/null")), Err(Refusal::NotAFile(_))));
        assert!(matches!(look(Path::new("/nonexistent/x")), Err(Refusal::NoSuchFile(_))));
        assert!(matches!(look(Path::new("/dev/null/x")), Err(Refusal::NoSuchFile(_))));
    }
}
