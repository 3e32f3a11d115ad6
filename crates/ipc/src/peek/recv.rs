//! The system call: what has been received and not been read stays there.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, recv};

/// What one look at a stream socket gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peeked {
    /// The first bytes that nobody has read; so many are in the buffer, at least one. More may be there.
    Bytes(usize),
    /// The peer has sent nothing yet.
    NothingYet,
    /// The peer has ended its direction, and nothing that it sent is unread.
    Ended,
}

/// Copies what is there into `buffer`, from the first unread byte on, and takes nothing (recv(2), `MSG_PEEK`).
/// It never waits, whether the socket is in blocking mode or not, and changes nothing about it.
///
/// # Errors
/// `ConnectionReset` when the peer has reset the connection and nothing it sent is unread. The kernel tells
/// this once: a worker that is given the connection all the same reads an end. `InvalidInput` for a buffer
/// without room, which could not tell an end from a byte.
pub fn peek(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Peeked> {
    if buffer.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no room to look"));
    }
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match retry_on_intr(|| recv(socket, &mut *buffer, flags)) {
        Ok((0, _)) => Ok(Peeked::Ended),
        Ok((count, _)) => Ok(Peeked::Bytes(count)),
        Err(Errno::AGAIN) => Ok(Peeked::NothingYet),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn bytes_are_seen_again_and_again_until_somebody_reads_them() {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(peek(near.as_fd(), &mut buffer).unwrap(), Peeked::NothingYet);
        far.write_all(b"abc").unwrap();
        far.write_all(b"def").unwrap();
        for _ in 0..2 {
            assert_eq!(peek(near.as_fd(), &mut buffer).unwrap(), Peeked::Bytes(6));
            assert_eq!(&buffer[..6], b"abcdef");
        }
        drop(far);
        assert_eq!(peek(near.as_fd(), &mut buffer[..2]).unwrap(), Peeked::Bytes(2));
        near.read_exact(&mut [0; 6]).unwrap();
        assert_eq!(peek(near.as_fd(), &mut buffer).unwrap(), Peeked::Ended);
    }

    #[test]
    fn without_room_no_answer_is_invented() {
        let (near, _far) = UnixStream::pair().unwrap();
        let error = peek(near.as_fd(), &mut []).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
