//! Whether the other end of a Unix socket has read everything that was written to it.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The kernel wakes a writer one byte before it has given back the memory of what was read, and the memory of one
/// message is far more than this.
#[cfg(target_os = "linux")]
const LEFT_OVER: libc::c_int = 255;

/// Whether nothing waits to be read there. When something does, the socket becomes writable anew once it was read: an
/// edge, which the reactor sees even though there was room all the time.
#[cfg(target_os = "linux")]
pub(crate) fn has_read_all(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let mut waiting: libc::c_int = 0;
    // SAFETY: the borrow keeps the descriptor open for the call, and for TIOCOUTQ the kernel writes exactly one
    // `c_int`, through a pointer to a live local of that type.
    let outcome = unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) };
    match outcome {
        0 => Ok(waiting <= LEFT_OVER),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Nothing else tells it, so nobody is made to wait.
#[cfg(not(target_os = "linux"))]
pub(crate) fn has_read_all(_fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(true)
}

/// Whether both directions are shut down: what was not read by then need not ever be, and no edge follows that one.
pub(crate) fn is_hung_up(fd: BorrowedFd<'_>) -> io::Result<bool> {
    // Asked for nothing: the kernel adds this one by itself (poll(2)).
    let mut asked = [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
    poll(&mut asked, Some(&Timespec::default()))?;
    Ok(asked[0].revents().contains(PollFlags::HUP))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::Shutdown;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn bytes_wait_until_the_last_of_them_is_read() {
        let (mut writer, mut reader) = UnixStream::pair().unwrap();
        assert!(has_read_all(writer.as_fd()).unwrap());
        writer.write_all(b"ab").unwrap();
        assert!(!has_read_all(writer.as_fd()).unwrap());
        reader.read_exact(&mut [0]).unwrap();
        assert!(!has_read_all(writer.as_fd()).unwrap());
        reader.read_exact(&mut [0]).unwrap();
        assert!(has_read_all(writer.as_fd()).unwrap());
    }

    #[test]
    fn a_peer_that_shuts_down_hangs_up_and_one_that_only_writes_no_more_does_not() {
        let (writer, reader) = UnixStream::pair().unwrap();
        assert!(!is_hung_up(writer.as_fd()).unwrap());
        reader.shutdown(Shutdown::Write).unwrap();
        assert!(!is_hung_up(writer.as_fd()).unwrap());
        reader.shutdown(Shutdown::Both).unwrap();
        assert!(is_hung_up(writer.as_fd()).unwrap());
    }
}
