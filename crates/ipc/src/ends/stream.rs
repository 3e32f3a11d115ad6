//! The ends of connections, as the kernel tells them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;

use super::cookie::Cookie;
use super::error::{EndsError, EndsPart};
use super::layout::MESSAGE;
use super::netlink::{enlarge, join, keep_ports, open, read};
use super::parse::ended;
use super::question::is_answered;
use super::watch::Watched;

/// Most messages read by one [`poll_next`](Ends::poll_next), 256, so that a worker that dies with all its
/// connections cannot hold up the others.
pub const MESSAGES_PER_POLL: usize = 256;

/// Tells which TCP connections have ended, whoever held them. All methods belong to one task.
#[derive(Debug)]
pub struct Ends {
    socket: Watched,
    /// Messages were lost, and what came before them is not all read yet.
    lost: bool,
}

/// What one [`Ends::poll_next`] brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The connections that were appended have ended; at times none. More may wait.
    Ended,
    /// Messages were lost before this moment; from now on none is missing. Ask a [`Survey`](super::Survey) that is
    /// started *after* this which connections are over. Cookies may have been appended as well.
    Overflowed,
}

impl Ends {
    /// Begins to listen to the kernel. No connection is told before [`set_ports`](Self::set_ports) named its port.
    /// Needs no privilege; with `CAP_NET_ADMIN` the buffer is larger ([`RECEIVE_BYTES`](super::RECEIVE_BYTES)).
    ///
    /// # Errors
    /// This system does not tell, and which part of it; also where no tokio runtime is current.
    ///
    /// # Panics
    /// The current runtime was built without its IO driver.
    pub fn open() -> Result<Self, EndsError> {
        let failed = |part| move |error: io::Error| EndsError::new(part, error);
        let socket = open().map_err(failed(EndsPart::Socket))?;
        enlarge(&socket).map_err(failed(EndsPart::Buffer))?;
        // Before anything can arrive, so that no stranger's connection is ever in the buffer.
        keep_ports(&socket, &[]).map_err(failed(EndsPart::Buffer))?;
        join(&socket).map_err(failed(EndsPart::Groups))?;
        is_answered().map_err(failed(EndsPart::Diag))?;
        let socket = Watched::new(socket).map_err(failed(EndsPart::Runtime))?;
        Ok(Self { socket, lost: false })
    }

    /// Tells from now on of connections whose *local* port is one of these, and of no others; of all that there
    /// are when these are more than [`FILTERED_PORTS`](super::FILTERED_PORTS). A connection that belongs to the old
    /// ports and to the new is told without a gap.
    ///
    /// Name a port before its first connection can end, and leave it out after its last one was told: what the
    /// kernel says of it in between is dropped. Sockets that listen at such a port, or that nobody accepted, are
    /// told as well; their cookies are nobody's.
    ///
    /// # Errors
    /// The system has no memory for so long a filter (`net.core.optmem_max`). The old ports stay.
    pub fn set_ports(&self, ports: &[u16]) -> io::Result<()> {
        keep_ports(&self.socket, ports)
    }

    /// Appends the connections that have ended to `ended`, [`MESSAGES_PER_POLL`] at most. The order is about that
    /// of their ends. Cancel safe: what was appended is with the caller, everything else is still in the buffer.
    ///
    /// Returned [`News::Ended`], there may be more: poll again, and let others have their turn now and then.
    ///
    /// # Errors
    /// The runtime is shutting down, or the system refuses to read. Cookies that were appended stand.
    pub fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        ended: &mut Vec<Cookie>,
    ) -> Poll<io::Result<News>> {
        let before = ended.len();
        for _ in 0..MESSAGES_PER_POLL {
            match self.read() {
                Ok(message) => ended.extend(message),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // After a loss the kernel adds nothing until a read has emptied the buffer. Told any earlier,
                    // a survey would come before the last of what is missing.
                    if std::mem::take(&mut self.lost) {
                        return Poll::Ready(Ok(News::Overflowed));
                    }
                    if ended.len() > before {
                        break;
                    }
                    ready!(self.socket.poll_ready(cx))?;
                }
                Err(error) if Errno::from_io_error(&error) == Some(Errno::NOBUFS) => {
                    self.lost = true;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(News::Ended))
    }

    /// Reads one message; `None` when it tells of no end, or is not the kernel's.
    fn read(&self) -> io::Result<Option<Cookie>> {
        // What does not fit is attributes, of which nobody asks.
        let mut room = [0; MESSAGE];
        let received = self.socket.try_read(|fd| read(fd, &mut room))?;
        Ok(room.get(..received.n).filter(|_| received.from_kernel).and_then(ended))
    }
}

impl AsFd for Ends {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
