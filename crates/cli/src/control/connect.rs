//! A connection to a control socket, within a time: a primary that is stopped accepts nobody, and once its queue is
//! full whoever connects would wait for as long as that lasts.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

/// Connects. Beyond the time it is an error of the kind `WouldBlock`.
pub(super) fn connect_within(path: &Path, within: Duration) -> io::Result<UnixStream> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // For connect(2) it is the time that there may be no room in the queue (unix(7), socket(7)).
    set_socket_timeout(&socket, Timeout::Send, Some(within))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_full_queue_is_given_up_and_an_empty_place_in_it_is_taken() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let within = Duration::from_millis(1);
        // A queue takes one more than its backlog.
        let first = connect_within(&path, within).unwrap();
        let error = connect_within(&path, within).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop((first, listener.accept().unwrap()));
        connect_within(&path, within).unwrap();
        drop(listener);
        let error = connect_within(&path, within).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
