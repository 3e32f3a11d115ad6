//! Facts about the rights of this process and of its workers, for the machine, which decides what follows.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use portcrew_core::primary::{Confinement, ListenerName};
use portcrew_ipc::custody::stranger_on_the_whole_way;
use rustix::process::geteuid;
use rustix::thread::{CapabilitySet, capabilities};

use crate::Settings;
use crate::net::unix_path::absolute;

/// The kernel's setting: the lowest port that everybody may listen on, in this network namespace.
const FIRST_FREE_PORT: &str = "/proc/sys/net/ipv4/ip_unprivileged_port_start";

/// Whether workers with these settings have fewer rights than this process.
pub(super) fn are_fewer(settings: &Settings) -> bool {
    let is_other = settings.uid.is_some_and(|uid| uid != geteuid().as_raw());
    is_no_root(settings) && (is_other || has_capabilities())
}

/// Whether they are to run as a user, and that is not root.
pub(super) fn is_no_root(settings: &Settings) -> bool {
    settings.uid.is_some_and(|uid| uid != 0)
}

/// What is lent to them.
pub(super) fn lent(allowed: BTreeSet<ListenerName>) -> Confinement {
    let mut confinement = Confinement { allowed, ..Confinement::default() };
    let free = std::fs::read_to_string(FIRST_FREE_PORT);
    // Linux before 4.11 has no such setting: there it is the default.
    if let Some(free) = free.ok().and_then(|text| text.trim().parse().ok()) {
        confinement.first_free_port = free;
    }
    confinement
}

/// # Errors
///
/// Somebody but root and this process's user could lead this path elsewhere, or that cannot be found out. `NotFound` when
/// its directory is not there: whoever makes it could do so between this and the use of the path.
pub(super) fn refuse_strangers(path: &str) -> io::Result<()> {
    let path = absolute(Path::new(path))?;
    match stranger_on_the_whole_way(&path)? {
        None => Ok(()),
        Some(it) => Err(io::Error::other(format!(
            "{} belongs to user {} with mode {:04o}, so somebody else could lead {} elsewhere; let only root, or this \
             process's user {}, write there",
            it.at.display(),
            it.owner,
            it.mode,
            path.display(),
            geteuid().as_raw(),
        ))),
    }
}

/// A kernel that does not say is taken to have given some: then too little is lent, not too much.
fn has_capabilities() -> bool {
    capabilities(None).map_or(true, |it| it.effective != CapabilitySet::empty())
}
