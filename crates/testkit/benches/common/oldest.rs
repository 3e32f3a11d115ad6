//! Who is killed next: one rule for all servers, that needs to know nothing of any of them but who the children of its
//! primary are.

use std::io;

use portcrew_testkit::process::proc_fs;

/// The child of `primary` that has been in `known` for longest. None when it has none.
pub(crate) fn oldest(known: &mut Vec<u32>, primary: u32) -> io::Result<Option<u32>> {
    let mut children = proc_fs::children(primary)?;
    children.retain(|child| proc_fs::state(*child).is_ok_and(|state| state != 'Z'));
    known.retain(|pid| children.contains(pid));
    children.retain(|child| !known.contains(child));
    known.append(&mut children);
    Ok(known.first().copied())
}
