//! What to start: a program with its arguments and surroundings.

use std::any::Any;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::guard::Process;

/// A program to be started by [`start`](Self::start).
///
/// Its standard input is `/dev/null` unless [`stdin_pipe`](Self::stdin_pipe) is asked for; both outputs are captured.
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct Program {
    pub(super) command: Command,
    pub(super) stdin: Stdio,
    pub(super) name: String,
    pub(super) kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Program {
    /// A program by its path, or by its name on `PATH`.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        Self { command: Command::new(program), stdin: Stdio::null(), name, kept: Vec::new() }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Starts it by way of another program, which gets these arguments, then this program and its own.
    pub fn through<A: AsRef<OsStr>>(
        mut self,
        other: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut command = Command::new(other);
        command.args(args).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(directory) = self.command.get_current_dir() {
            command.current_dir(directory);
        }
        self.command = command;
        self
    }

    /// Sets an environment variable; the rest is inherited.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable out of the inherited environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The directory that the program starts in.
    pub fn cwd(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Gives the program a pipe as standard input, written with [`Process::write_line`].
    pub fn stdin_pipe(mut self) -> Self {
        self.stdin = Stdio::piped();
        self
    }

    /// Gives the program this as descriptor 3, by way of a shell; its standard input is `/dev/null` then.
    pub fn inherits(self, descriptor: impl Into<Stdio>) -> Self {
        let Self { command: wanted, name, kept, .. } = self;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "exec \"$@\" 3<&0 </dev/null", "sh"]);
        command.arg(wanted.get_program()).args(wanted.get_args());
        for (variable, value) in wanted.get_envs() {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        if let Some(directory) = wanted.get_current_dir() {
            command.current_dir(directory);
        }
        Self { command, stdin: descriptor.into(), name, kept }
    }

    /// Runs the program as this user and group, without further groups. Only root may.
    pub fn user(mut self, user: u32, group: u32) -> Self {
        self.command.uid(user).gid(group);
        self
    }

    /// Keeps a thing, such as a directory of its own, until the program and all that it started have ended.
    pub fn keep(mut self, thing: impl Any + Send + Sync) -> Self {
        self.kept.push(Box::new(thing));
        self
    }

    /// The name that failure messages use; by default the file name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started, with the reason.
    #[must_use = "dropping the process ends it"]
    pub fn start(self) -> Process {
        Process::start(self)
    }
}
