//! Writing a batch to a descriptor of somebody else, with everything that such a descriptor may answer.

use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    All,
    /// What remained of the batch behind so many bytes is lost, the next one may succeed: the disk is full now.
    Lost {
        count: usize,
    },
    /// Nobody will ever read: the pipe is broken, the terminal has gone. For output that is an end, not a failure.
    ReaderGone,
}

/// Writes all bytes, however long it takes; `moved` is called after each part that went through.
pub(super) fn write(fd: &OwnedFd, bytes: &[u8], mut moved: impl FnMut()) -> Written {
    let mut count = 0;
    while count < bytes.len() {
        match rustix::io::write(fd, &bytes[count..]) {
            Ok(more) => {
                count += more;
                moved();
            }
            Err(Errno::INTR) => {}
            // The descriptor is shared, and whoever shares it made it non-blocking: Node.js does that to pipes.
            Err(Errno::AGAIN) => wait_until_writable(fd),
            Err(Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::NOBUFS | Errno::NOMEM) => {
                return Written::Lost { count };
            }
            Err(_) => return Written::ReaderGone,
        }
    }
    Written::All
}

/// Returns when a write is worth another attempt. A failing poll is one: the write then says what is wrong.
fn wait_until_writable(fd: &OwnedFd) {
    let _ = poll(&mut [PollFd::new(fd, PollFlags::OUT)], None);
}
