//! A worker that gets its socket as standard input.

use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};

use super::Player;

/// Ends with whoever has started it: its socket closes then.
pub(super) fn start(player: Player, socket: OwnedFd) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["play", player.word()]).stdin(Stdio::from(socket)).spawn()
}

/// Says a line to the benchmark.
pub(super) fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// The socket, in the worker.
pub(super) fn socket() -> io::Result<OwnedFd> {
    io::stdin().as_fd().try_clone_to_owned()
}
