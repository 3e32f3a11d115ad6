//! Giving a program to a group.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::program::Program;

/// `SO_ATTACH_REUSEPORT_CBPF` of `asm-generic/socket.h`.
const ATTACH: libc::c_int = 51;
/// `SO_DETACH_REUSEPORT_BPF` of the same.
const DETACH: libc::c_int = 68;

/// Has `program` choose among all members of the group to which this socket belongs, in place of the one before.
///
/// # Errors
/// What the system says: `InvalidInput` for a socket without `SO_REUSEPORT` or without a group (TCP: it does not
/// listen), no memory, or a longer program than the system allows.
pub fn attach(member: BorrowedFd<'_>, program: &Program) -> io::Result<()> {
    let mut filter: Vec<libc::sock_filter> = program
        .0
        .iter()
        .map(|it| libc::sock_filter { code: it.code, jt: it.if_true, jf: it.if_false, k: it.value })
        .collect();
    let length = u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: filter.as_mut_ptr() };
    // SAFETY: `program` lives through the call and its size is given; it points to `length` instructions in `filter`,
    // which lives as long. The kernel only reads them, and checks them before it runs one.
    let result = unsafe {
        libc::setsockopt(
            member.as_raw_fd(),
            libc::SOL_SOCKET,
            ATTACH,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Has the kernel hash over all members again.
///
/// # Errors
/// `NotFound` if no program was attached; else what the system says.
pub fn detach(member: BorrowedFd<'_>) -> io::Result<()> {
    let nothing: libc::c_int = 0;
    // SAFETY: `nothing` is an int that lives through the call, and its size is given. Its value does not matter.
    let result = unsafe {
        libc::setsockopt(
            member.as_raw_fd(),
            libc::SOL_SOCKET,
            DETACH,
            (&raw const nothing).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
