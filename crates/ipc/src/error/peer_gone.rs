//! How a socket says that nobody is there any more.

use std::io;

/// A Unix socket says in three ways that nobody is at its other end.
pub(crate) fn is_peer_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::NotConnected
    )
}
