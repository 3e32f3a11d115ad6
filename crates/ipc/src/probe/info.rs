//! `TCP_INFO` and the number of unread bytes, as the kernel gives them.

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// The numbers of one connection, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Where the connection is in its life.
    pub state: TcpState,
    /// What arrived from the peer. The kernel counts the peer's end (FIN) as one byte.
    pub received: u64,
    /// What arrived and nobody has read.
    pub inq: u64,
    /// What was sent, repetitions included.
    pub sent: u64,
    /// What was written and not sent yet.
    pub notsent: u64,
}

/// The state of a TCP socket, in the kernel's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TcpState {
    /// Open both ways.
    Established,
    /// Our SYN is out.
    SynSent,
    /// The peer's SYN was answered.
    SynRecv,
    /// We ended our direction.
    FinWait1,
    /// We ended our direction and the peer knows.
    FinWait2,
    /// Both ended.
    TimeWait,
    /// Not connected, any more or ever: after a reset this is what is seen.
    Close,
    /// The peer ended its direction, we did not.
    CloseWait,
    /// The peer ended, then we did.
    LastAck,
    /// A listening socket.
    Listen,
    /// Both ended at once.
    Closing,
    /// A number that this list does not have.
    Other(u8),
}

/// The accept queue of a listening TCP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// Connections that wait to be accepted.
    pub waiting: u32,
    /// How many may wait (the backlog, after the system's own limit).
    pub limit: u32,
}

/// Reads the numbers of one TCP socket. They are read in two calls: between them the peer may send.
///
/// # Errors
///
/// What the system says of a descriptor that is no TCP socket; `Unsupported` from a kernel that
/// does not count sent bytes (before Linux 4.19).
pub fn figures(socket: BorrowedFd<'_>) -> io::Result<Figures> {
    let (info, length) = tcp_info(socket)?;
    if length < offset_of!(libc::tcp_info, tcpi_bytes_sent) + size_of::<u64>() {
        let reason = "the kernel does not count the bytes of a connection";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    let state = TcpState::from_raw(info.tcpi_state);
    let inq = match state {
        // Nothing to be read ever, and asking is an error.
        TcpState::Listen => 0,
        _ => rustix::io::ioctl_fionread(socket)?,
    };
    Ok(Figures {
        state,
        received: info.tcpi_bytes_received,
        inq,
        sent: info.tcpi_bytes_sent,
        notsent: info.tcpi_notsent_bytes.into(),
    })
}

/// How long ago the peer of a TCP connection was last heard. Of one whose client has said nothing since it connected, that
/// is its age. The kernel counts in its own ticks, of up to 10 ms.
///
/// # Errors
///
/// What the system says of a descriptor that is no TCP socket.
pub fn since_last_ack(socket: BorrowedFd<'_>) -> io::Result<Duration> {
    // Older than any kernel that runs Rust programs.
    let (info, _) = tcp_info(socket)?;
    Ok(Duration::from_millis(info.tcpi_last_ack_recv.into()))
}

/// Reads how full the accept queue of a listening TCP socket is.
///
/// # Errors
///
/// `InvalidInput` for a TCP socket that does not listen; what the system says of anything else.
pub fn accept_queue(listener: BorrowedFd<'_>) -> io::Result<Queue> {
    // Both fields are older than any kernel that runs Rust programs; a short answer left them zero.
    let (info, _) = tcp_info(listener)?;
    if TcpState::from_raw(info.tcpi_state) != TcpState::Listen {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket does not listen"));
    }
    // On a listening socket the kernel gives these two fields another meaning.
    Ok(Queue { waiting: info.tcpi_unacked, limit: info.tcpi_sacked })
}

/// How many connections wait to be accepted from a listening TCP socket. `None` of every other socket, and of a kernel
/// that leaves these numbers out (gVisor): its zero would mean that nobody ever comes.
#[must_use]
pub fn waiting(listener: BorrowedFd<'_>) -> Option<u32> {
    accept_queue(listener).ok().filter(|queue| queue.limit > 0).map(|queue| queue.waiting)
}

/// Reads how many connections and requests for one the kernel has dropped at a listening TCP socket since it was made.
/// Nearly always that is for want of room in its queue; a packet that belongs to no connection counts too. The kernel
/// begins anew at 0 after 2³² of them.
///
/// # Errors
///
/// What the system says of a descriptor that is no socket, and of a kernel that does not tell (before Linux 4.12).
pub fn dropped(listener: BorrowedFd<'_>) -> io::Result<u32> {
    let mut numbers = [0_u32; libc::SK_MEMINFO_DROPS as usize + 1];
    let mut length = size_of_val(&numbers) as libc::socklen_t;
    // SAFETY: `numbers` and `length` are writable through the call, `length` says how long `numbers` is, the kernel
    // writes no more than that, and every bit pattern is a value of these numbers.
    let result = unsafe {
        libc::getsockopt(
            listener.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            (&raw mut numbers).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if (length as usize) < size_of_val(&numbers) {
        let reason = "the kernel does not count what it drops";
        return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
    }
    Ok(numbers[libc::SK_MEMINFO_DROPS as usize])
}

impl TcpState {
    fn from_raw(state: u8) -> Self {
        match state {
            1 => Self::Established,
            2 => Self::SynSent,
            3 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            7 => Self::Close,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            other => Self::Other(other),
        }
    }
}

/// The structure, zero where the kernel knows less than we do, and how many bytes it filled.
fn tcp_info(socket: BorrowedFd<'_>) -> io::Result<(libc::tcp_info, usize)> {
    // SAFETY: `tcp_info` is numbers alone, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: `info` and `length` are writable through the call, `length` says how long `info` is,
    // the kernel writes no more than that, and every bit pattern is a value of these numbers.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok((info, length as usize)) } else { Err(io::Error::last_os_error()) }
}
