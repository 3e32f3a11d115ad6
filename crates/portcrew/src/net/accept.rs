//! Accepting one connection, and what its errors mean.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};

use portcrew_core::primary::AcceptFailure;
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};

/// How one connection is taken; another in tests.
pub(crate) type Accept = fn(BorrowedFd<'_>) -> io::Result<(OwnedFd, Option<SocketAddr>)>;

/// Takes one connection, close-on-exec and non-blocking, with its client's address where it has one.
///
/// A client that reset before it was accepted may have no address any more; the connection is still given.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (socket, peer) = acceptfrom_with(listener, flags)?;
    Ok((socket, peer.and_then(|peer| SocketAddr::try_from(peer).ok())))
}

/// The address that a connection came to; none for Unix-domain sockets.
pub(crate) fn local(socket: &OwnedFd) -> Option<SocketAddr> {
    SocketAddr::try_from(rustix::net::getsockname(socket).ok()?).ok()
}

/// What a failure means for the listener (accept(2), "Error handling"). `None`: nothing waits, or the call
/// was interrupted; neither is a failure.
pub(crate) fn classify(error: &io::Error) -> Option<AcceptFailure> {
    let Some(errno) = error.raw_os_error().map(Errno::from_raw_os_error) else {
        return Some(AcceptFailure::Resource);
    };
    match errno {
        Errno::AGAIN | Errno::INTR => None,
        // The connection broke between the kernel's accept and ours; Linux passes its error on.
        Errno::CONNABORTED
        | Errno::PROTO
        | Errno::PERM
        | Errno::NETDOWN
        | Errno::NOPROTOOPT
        | Errno::HOSTDOWN
        | Errno::NONET
        | Errno::HOSTUNREACH
        | Errno::OPNOTSUPP
        | Errno::NETUNREACH => Some(AcceptFailure::Connection),
        Errno::MFILE | Errno::NFILE => Some(AcceptFailure::Descriptors),
        // ENOBUFS, ENOMEM: the next call fails too. So may an unknown one: rest.
        _ => Some(AcceptFailure::Resource),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_descriptor_table_is_no_reason_to_try_again_at_once() {
        for errno in [Errno::MFILE, Errno::NFILE] {
            assert_eq!(classify(&errno.into()), Some(AcceptFailure::Descriptors), "{errno}");
        }
        for errno in [Errno::NOBUFS, Errno::NOMEM, Errno::INVAL] {
            assert_eq!(classify(&errno.into()), Some(AcceptFailure::Resource), "{errno}");
        }
    }

    #[test]
    fn a_broken_connection_says_nothing_about_the_next_one() {
        assert_eq!(classify(&Errno::CONNABORTED.into()), Some(AcceptFailure::Connection));
        assert_eq!(classify(&Errno::AGAIN.into()), None);
    }
}
