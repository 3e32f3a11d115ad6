//! Why a program cannot be run, and the exit status for it.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::exit::ExitStatus;
use crate::output::words::{policies, refusals};

/// A plan that could not be made. `Display` names the thing, the reason and the next step.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A name without a slash that no directory of `PATH` has.
    NotInPath {
        name: OsString,
        is_here: bool,
    },
    NoSuchFile(PathBuf),
    /// Looking at the file failed for another reason, such as no permission for a directory above it.
    CannotLook {
        path: PathBuf,
        error: io::Error,
    },
    IsDirectory(PathBuf),
    /// A device, a pipe or a socket.
    NotAFile(PathBuf),
    NotExecutable(PathBuf),
    /// Executable by its mode, but neither a binary nor a script with a `#!` line.
    NotAProgram(PathBuf),
    /// The `#!` line names an interpreter that does not exist.
    HashBangMissing {
        script: PathBuf,
        interpreter: String,
    },
    InterpreterMissing {
        script: PathBuf,
        wanted: &'static [&'static str],
    },
    /// This `node` cannot run TypeScript.
    NoTypes {
        script: PathBuf,
        node: PathBuf,
        version: String,
    },
    NodeIsSilent {
        script: PathBuf,
        node: PathBuf,
    },
    /// `npm run x` where package.json has no `x`.
    NoSuchScript {
        package: PathBuf,
        script: String,
        others: Vec<String>,
    },
    PackageUnreadable {
        package: PathBuf,
        error: io::Error,
    },
    NoPackage {
        wrapper: String,
    },
    PolicyUnknown(OsString),
    /// One listener under two names in `--policy`.
    ListenerTwice {
        one: String,
        other: String,
    },
    /// A policy by address for a listener whose clients have none.
    NoAddress {
        item: String,
    },
    /// `kernel` for a path or a descriptor.
    NotForKernel {
        item: String,
    },
    /// From or to `kernel` while the sockets are there.
    MadeForKernel {
        listener: Option<String>,
    },
    /// The runtime does not serve from a shared socket.
    CannotShare {
        item: String,
    },
    /// A policy for a listener that a running crew has not.
    NoSuchListener {
        listener: String,
        /// Those that it has.
        there: Vec<String>,
    },
    /// What `--listen` cannot be, or what cannot be with it, in words.
    Listen(String),
    /// Options that do not go together, in words.
    Contradiction(&'static str),
    /// Whom the workers are to run as, in words.
    Identity(String),
    /// What the system knows of users and groups cannot be read, in words.
    NoUserDatabase(String),
    NoCurrentDirectory(io::Error),
}

impl Refusal {
    /// What the shell is told: 127 for what does not exist, 126 for what cannot be executed.
    pub(crate) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::NotInPath { .. }
            | Self::NoSuchFile(_)
            | Self::HashBangMissing { .. }
            | Self::InterpreterMissing { .. }
            | Self::NoSuchScript { .. }
            | Self::NoPackage { .. } => ExitStatus::NotFound,
            Self::CannotLook { .. }
            | Self::IsDirectory(_)
            | Self::NotAFile(_)
            | Self::NotExecutable(_)
            | Self::NotAProgram(_)
            | Self::NoTypes { .. }
            | Self::NodeIsSilent { .. }
            | Self::PackageUnreadable { .. } => ExitStatus::NotExecutable,
            Self::PolicyUnknown(_)
            | Self::ListenerTwice { .. }
            | Self::NoAddress { .. }
            | Self::NotForKernel { .. }
            | Self::MadeForKernel { .. }
            | Self::CannotShare { .. }
            | Self::NoSuchListener { .. }
            | Self::Listen(_)
            | Self::Contradiction(_)
            | Self::Identity(_) => ExitStatus::Usage,
            Self::NoUserDatabase(_) | Self::NoCurrentDirectory(_) => ExitStatus::Internal,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::NotInPath { name, is_here } => refusals::not_in_path(name, *is_here),
            Self::NoSuchFile(path) => refusals::no_such_file(path),
            Self::CannotLook { path, error } => refusals::cannot_look(path, error),
            Self::IsDirectory(path) => refusals::is_directory(path),
            Self::NotAFile(path) => refusals::not_a_file(path),
            Self::NotExecutable(path) => refusals::not_executable(path),
            Self::NotAProgram(path) => refusals::not_a_program(path),
            Self::HashBangMissing { script, interpreter } => {
                refusals::hash_bang_missing(script, interpreter)
            }
            Self::InterpreterMissing { script, wanted } => {
                refusals::interpreter_missing(script, wanted)
            }
            Self::NoTypes { script, node, version } => refusals::no_types(script, node, version),
            Self::NodeIsSilent { script, node } => refusals::node_is_silent(script, node),
            Self::NoSuchScript { package, script, others } => {
                refusals::no_such_script(package, script, others)
            }
            Self::PackageUnreadable { package, error } => {
                refusals::package_unreadable(package, error)
            }
            Self::NoPackage { wrapper } => refusals::no_package(wrapper),
            Self::PolicyUnknown(value) => refusals::policy_unknown(value),
            Self::ListenerTwice { one, other } => refusals::listener_twice(one, other),
            Self::NoAddress { item } => refusals::no_address(item),
            Self::NotForKernel { item } => policies::not_for_kernel(item),
            Self::MadeForKernel { listener } => policies::made_for_kernel(listener.as_deref()),
            Self::CannotShare { item } => refusals::cannot_share(item),
            Self::NoSuchListener { listener, there } => policies::no_such_listener(listener, there),
            Self::Contradiction(reason) => (*reason).to_owned(),
            Self::Identity(words) | Self::NoUserDatabase(words) | Self::Listen(words) => {
                words.clone()
            }
            Self::NoCurrentDirectory(error) => refusals::no_current_directory(error),
        })
    }
}
