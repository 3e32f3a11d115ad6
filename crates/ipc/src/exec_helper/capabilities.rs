//! Capabilities of a process that is no longer root, all of them given up.
//!
//! The kernel clears most of them when the user changes, unless a secure bit forbids that, and leaves
//! those for programs that are executed (inheritable) alone; for a process that was that user before,
//! nothing changes at all. The bounding set stays: it bounds what programs with capabilities of their
//! own may gain by `exec`, as `no_new_privs` does.

use std::io;

use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities,
};

const NONE: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};

/// Gives up all, and looks whether they are gone.
pub(super) fn give_up() -> io::Result<()> {
    // A capability is ambient only while it is inheritable too, so that these go with the others. Clearing them
    // first leaves no instant between the two.
    match clear_ambient_capability_set() {
        // Linux before 4.3 has none.
        Ok(()) | Err(rustix::io::Errno::INVAL) => {}
        Err(errno) => return Err(errno.into()),
    }
    set_capabilities(None, NONE)?;
    if capabilities(None)? == NONE {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "some were given up and are there"))
    }
}
