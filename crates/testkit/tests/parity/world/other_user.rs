//! Low ports, and a user who may not open them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use portcrew_testkit::process::Program;

use super::World;
use super::root::exe;
use crate::part;

/// A port that only a privileged user may listen on, unless the machine says otherwise. Nothing is assigned to it.
pub(crate) const LOW_PORT: u16 = 42;

/// The user and group that nothing belongs to: `nobody`.
const NOBODY: u32 = 65534;

/// Whether this program can run as a user who may not listen on [`LOW_PORT`], and if not, why.
pub(crate) fn low_ports_are_refused(_: &World) -> Result<(), String> {
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first = first.ok().and_then(|it| it.trim().parse::<u16>().ok()).unwrap_or(1024);
    if first <= LOW_PORT {
        return Err(format!("every user may listen on ports from {first} on"));
    }
    if !is_root() {
        return Ok(());
    }
    runs_as_nobody(&exe(), &[part::FLAG, part::NOTHING])
}

/// As [`low_ports_are_refused`], for this program and Node.
pub(crate) fn low_ports_are_refused_to_node(world: &World) -> Result<(), String> {
    low_ports_are_refused(world)?;
    if is_root() { runs_as_nobody(world.node().path(), &["--version"]) } else { Ok(()) }
}

/// Runs the program as a user who may not, with the proof's directory open to that user.
pub(crate) fn as_other_user(world: &World, program: Program) -> Program {
    if !is_root() {
        return program;
    }
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(world.directory(), open).expect("it is ours");
    program.user(NOBODY, NOBODY)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The path may lead through a directory that is closed to others.
fn runs_as_nobody(program: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).uid(NOBODY).gid(NOBODY).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{} as another user: {status}", program.display())),
        Err(error) => Err(format!("{} as another user: {error}", program.display())),
    }
}
