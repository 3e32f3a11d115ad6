//! Becoming another user for good: groups before the user, all three ids at once, no capability left,
//! and a check that there is no way back.

use std::io;

use nix::unistd::{
    Gid, ROOT, Uid, geteuid, getgroups, getresgid, getresuid, setgroups, setresgid, setresuid,
};

use super::capabilities;
use super::plan::Plan;

/// Takes on the plan's group and user. Nothing is done where none is asked for.
pub(super) fn assume(plan: &Plan) -> Result<(), (&'static str, io::Error)> {
    let Some(gid) = plan.gid.map(Gid::from_raw) else {
        return Ok(());
    };
    let uid = plan.uid.map_or_else(geteuid, Uid::from_raw);
    let is_own = already(uid, gid).map_err(|error| ("its user is unknown", error))?;
    let groups: Vec<Gid> = plan.groups.iter().copied().map(Gid::from_raw).collect();
    match setgroups(&groups) {
        Ok(()) => {}
        // Without privileges: it keeps what it has, if that is at least what was asked for.
        Err(_) if is_own && has_all(gid, &groups) => {}
        Err(errno) => return Err(("the groups cannot be set", errno.into())),
    }
    if !is_own {
        setresgid(gid, gid, gid).map_err(|errno| ("the group cannot be set", errno.into()))?;
        setresuid(uid, uid, uid).map_err(|errno| ("the user cannot be set", errno.into()))?;
    }
    if plan.uid.is_some() && !uid.is_root() {
        capabilities::give_up().map_err(|error| ("its capabilities stay", error))?;
    }
    if is_own {
        return Ok(());
    }
    verify(uid, gid).map_err(|error| ("the user was set and did not stay", error))
}

/// A process that is not root and asks for the user and the group it has. It may not be allowed to set its groups.
fn already(uid: Uid, gid: Gid) -> io::Result<bool> {
    let (users, groups) = (getresuid()?, getresgid()?);
    Ok(!uid.is_root()
        && [users.real, users.effective, users.saved] == [uid; 3]
        && [groups.real, groups.effective, groups.saved] == [gid; 3])
}

fn has_all(gid: Gid, wanted: &[Gid]) -> bool {
    let have = getgroups().unwrap_or_default();
    wanted.iter().all(|group| *group == gid || have.contains(group))
}

fn verify(uid: Uid, gid: Gid) -> io::Result<()> {
    let (users, groups) = (getresuid()?, getresgid()?);
    let same = [users.real, users.effective, users.saved] == [uid; 3]
        && [groups.real, groups.effective, groups.saved] == [gid; 3];
    // The try itself is the proof: a capability kept by a secure bit would let it succeed.
    let way_back = !uid.is_root() && setresuid(ROOT, ROOT, ROOT).is_ok();
    if same && !way_back {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "the old rights can be regained"))
    }
}
