//! The proof that nobody has used a connection.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, ipproto, sockopt};

use super::info::{Figures, TcpState, figures};

/// How often the two readings are repeated while the peer keeps sending between them. Beyond it
/// the connection counts as touched.
const TRIES: u32 = 16;

/// What the kernel's numbers say about a connection that somebody else held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Nobody read a byte and nobody wrote one: another worker may serve it from the start.
    Untouched,
    /// Somebody used it, or it cannot be shown that nobody did.
    Touched,
    /// The peer has reset it. There is nobody to be served.
    PeerGone,
    /// No TCP connection: there are no numbers, and so no proof.
    NotTcp,
}

/// Judges a connection. It holds only while nobody else can use the connection any more: ask after
/// its last holder is gone.
///
/// Untouched needs all four: the state is ESTABLISHED or CLOSE_WAIT; every byte that was received
/// (less one for the peer's end in CLOSE_WAIT) is still unread; none was sent; none waits to be
/// sent. The last is for a corked write, which is otherwise invisible.
///
/// # Errors
///
/// What the system says; `Unsupported` from a kernel without these numbers.
pub fn prove(connection: BorrowedFd<'_>) -> io::Result<Proof> {
    if !is_tcp(connection)? {
        return Ok(Proof::NotTcp);
    }
    let mut before = figures(connection)?;
    for _ in 0..TRIES {
        let after = figures(connection)?;
        // Bytes that arrive between the two calls of one reading make its numbers disagree, which
        // would look like a reader. The same count on both sides shows that none arrived.
        if (before.received, before.state) == (after.received, after.state) {
            return Ok(judge(before));
        }
        before = after;
    }
    Ok(Proof::Touched)
}

/// What these figures say. They must be of one moment, when nobody else could use the connection any more: [`prove`]
/// sees to that.
#[must_use]
pub fn judge(figures: Figures) -> Proof {
    let end = match figures.state {
        TcpState::Established => 0,
        TcpState::CloseWait => 1,
        TcpState::Close => return Proof::PeerGone,
        TcpState::SynSent
        | TcpState::SynRecv
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::TimeWait
        | TcpState::LastAck
        | TcpState::Listen
        | TcpState::Closing
        | TcpState::Other(_) => return Proof::Touched,
    };
    let unread = figures.received.checked_sub(end) == Some(figures.inq);
    if unread && figures.sent == 0 && figures.notsent == 0 {
        Proof::Untouched
    } else {
        Proof::Touched
    }
}

fn is_tcp(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let domain = match sockopt::socket_domain(fd) {
        Ok(domain) => domain,
        Err(Errno::NOTSOCK) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    let internet = domain == AddressFamily::INET || domain == AddressFamily::INET6;
    Ok(internet && sockopt::socket_protocol(fd)? == Some(ipproto::TCP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Figures =
        Figures { state: TcpState::Established, received: 0, inq: 0, sent: 0, notsent: 0 };

    #[test]
    fn a_received_end_is_taken_off_only_where_one_came() {
        let counted = Figures { received: 1, ..FRESH };
        assert_eq!(judge(counted), Proof::Touched);
        assert_eq!(judge(Figures { state: TcpState::CloseWait, ..counted }), Proof::Untouched);
        // Not seen from a kernel; it must not underflow.
        assert_eq!(judge(Figures { state: TcpState::CloseWait, ..FRESH }), Proof::Touched);
    }

    #[test]
    fn every_state_in_which_this_side_acted_is_touched() {
        for state in [TcpState::FinWait1, TcpState::LastAck, TcpState::Listen, TcpState::Other(99)]
        {
            assert_eq!(judge(Figures { state, ..FRESH }), Proof::Touched);
        }
    }
}
