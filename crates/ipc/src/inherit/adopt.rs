//! Turning a descriptor's number into an owned descriptor, after a look at what it is.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::net::{AddressFamily, SocketType, sockopt};

use super::error::InheritError;

/// Takes ownership of the inherited Unix socket `fd`: close-on-exec and non-blocking.
///
/// The caller is [`claim`](super::claim), once per process and before anything else runs, so
/// nobody else in this process owns the number.
pub(super) fn adopt(
    variable: &'static str,
    fd: RawFd,
    kind: SocketType,
) -> Result<OwnedFd, InheritError> {
    let bad = |reason| InheritError::BadDescriptor { variable, fd, reason };
    // SAFETY: F_GETFD only reads a flag, and a number that is not open gives EBADF.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Err(bad("not open"));
    }
    // SAFETY: the number was open a moment ago, no other thread runs that could have closed it,
    // and the borrow ends inside this function, before ownership is taken.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    match sockopt::socket_domain(borrowed) {
        Ok(AddressFamily::UNIX) => (),
        Ok(_) | Err(_) => return Err(bad("not a Unix socket")),
    }
    if sockopt::socket_type(borrowed) != Ok(kind) {
        return Err(bad("a Unix socket of another type"));
    }
    let owned = if fd <= 2 { replace_standard(borrowed, fd) } else { take(fd) };
    let owned = owned.map_err(InheritError::System)?;
    rustix::io::ioctl_fionbio(&owned, true).map_err(|errno| InheritError::System(errno.into()))?;
    Ok(owned)
}

fn take(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is open, and the parent's variable that names it says that it is
    // meant for this process to own; it is above 2, so it is none that std uses by number.
    let owned = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl_setfd(&owned, FdFlags::CLOEXEC)?;
    Ok(owned)
}

/// A parent may put the channel on a standard descriptor (`stdio: ['ipc', …]`). Std uses those by
/// number for ever, so they are never owned: the socket moves away and `/dev/null` takes its place.
fn replace_standard(socket: BorrowedFd<'_>, fd: RawFd) -> io::Result<OwnedFd> {
    let owned = fcntl_dupfd_cloexec(socket, 3)?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    match fd {
        0 => rustix::stdio::dup2_stdin(&null)?,
        1 => rustix::stdio::dup2_stdout(&null)?,
        _ => rustix::stdio::dup2_stderr(&null)?,
    }
    Ok(owned)
}
