//! What a wrapper's own arguments say. Pure, but for the script names of the package.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::super::note::Why;
use super::super::package::Package;

/// A program whose purpose is to start another.
#[derive(Debug)]
pub(super) enum Wrapper {
    Shell(String),
    Manager(Manager, String),
}

/// A package manager, by how it reads its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Npm,
    /// yarn and pnpm: a script may be named without `run`, and arguments need no `--`.
    Yarn,
    /// npx and pnpx: the first word is a program.
    Npx,
}

/// What a package manager is told to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    Script { name: String, rest: Vec<OsString> },
    Program { name: String, rest: Vec<OsString> },
}

impl Wrapper {
    /// The wrapper that a command line begins with.
    pub(super) fn of(words: &[OsString]) -> Option<Self> {
        let name = Path::new(words.first()?).file_name()?.to_str()?;
        let manager = match name {
            "npm" => Manager::Npm,
            "yarn" | "yarnpkg" | "pnpm" => Manager::Yarn,
            "npx" | "pnpx" => Manager::Npx,
            // Only with a command on the line: a shell that runs a script is an interpreter like others.
            "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" => {
                let has_command = words.get(1).is_some_and(|word| word == "-c");
                return has_command.then(|| Self::Shell(name.to_owned()));
            }
            _ => return None,
        };
        Some(Self::Manager(manager, name.to_owned()))
    }
}

/// The text behind `sh -c`. More arguments would be the text's `$0` and `$1`, so they keep the shell.
pub(super) fn shell_command(words: &[OsString]) -> Result<&str, Why> {
    match words {
        [_, _, command] => command.to_str().ok_or(Why::NotText),
        _ => Err(Why::NoCommand),
    }
}

impl Call {
    /// Reads a package manager's arguments.
    ///
    /// # Errors
    /// The first of them that only the manager understands.
    pub(super) fn of(
        manager: Manager,
        args: &[OsString],
        package: Option<&Package>,
    ) -> Result<Self, Why> {
        let is_quiet =
            |arg: &&OsString| matches!(arg.to_str(), Some("-s" | "--silent" | "-q" | "--quiet"));
        let args = &args[args.iter().take_while(is_quiet).count()..];
        if manager == Manager::Npx {
            return program(args);
        }
        let (verb, rest) = word(args)?;
        match verb {
            "start" => script(manager, "start", rest),
            "run" | "run-script" => {
                let (name, rest) = word(rest)?;
                script(manager, name, rest)
            }
            "exec" | "x" => program(rest),
            name if manager == Manager::Yarn
                && package.is_some_and(|p| p.script(name).is_some()) =>
            {
                script(manager, name, rest)
            }
            other => Err(Why::Option(other.to_owned())),
        }
    }
}

fn script(manager: Manager, name: &str, rest: &[OsString]) -> Result<Call, Why> {
    let separator = OsStr::new("--");
    let rest = match (manager, rest.split_first()) {
        (Manager::Npm, Some((first, rest))) if first == separator => rest,
        // npm takes options in front of `--` for its own; yarn and pnpm differ by version about `--` itself.
        (Manager::Npm, _) => {
            refuse(rest, |arg| arg.as_encoded_bytes().starts_with(b"-"))?;
            rest
        }
        (Manager::Yarn | Manager::Npx, _) => {
            refuse(rest, |arg| arg == separator)?;
            rest
        }
    };
    Ok(Call::Script { name: name.to_owned(), rest: rest.to_vec() })
}

fn program(args: &[OsString]) -> Result<Call, Why> {
    let is_consent = |arg: &&OsString| {
        matches!(arg.to_str(), Some("-y" | "--yes" | "--no" | "--no-install" | "--"))
    };
    let args = &args[args.iter().take_while(is_consent).count()..];
    let (name, rest) = word(args)?;
    Ok(Call::Program { name: name.to_owned(), rest: rest.to_vec() })
}

/// The first argument, which must not be an option.
fn word(args: &[OsString]) -> Result<(&str, &[OsString]), Why> {
    let (first, rest) = args.split_first().ok_or(Why::NoCommand)?;
    let first = first.to_str().ok_or(Why::NotText)?;
    if first.starts_with('-') { Err(Why::Option(first.to_owned())) } else { Ok((first, rest)) }
}

fn refuse(args: &[OsString], is_the_managers: impl Fn(&OsString) -> bool) -> Result<(), Why> {
    match args.iter().find(|arg| is_the_managers(arg)) {
        None => Ok(()),
        Some(arg) => Err(Why::Option(arg.to_string_lossy().into_owned())),
    }
}
