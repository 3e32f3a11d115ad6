//! The name that the kernel gives a socket.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::net::sockopt;

/// A socket's cookie (`SO_COOKIE`, socket(7)): the same for every descriptor of the socket in every process,
/// and never given to another socket until the system is started anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cookie(pub u64);

/// The cookie of a socket, of whatever kind. The kernel makes one when it is first asked for.
///
/// # Errors
///
/// `ENOTSOCK` for a descriptor that is no socket.
pub fn cookie(socket: BorrowedFd<'_>) -> io::Result<Cookie> {
    Ok(Cookie(sockopt::socket_cookie(socket)?))
}
