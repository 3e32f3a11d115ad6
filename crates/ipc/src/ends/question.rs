//! Questions to sock_diag, one after another, and the reading of their answers.
//!
//! The kernel makes an answer piece by piece: each read brings one and has the next made, by the thread that reads.
//! So no read waits, and whoever stops early closes the socket.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, sockopt};

use super::cookie::{Cookie, cookie};
use super::layout::{INET, INET6};
use super::netlink::{open, read, write};
use super::parse::{Part, Parts};
use super::request::Request;

/// Most bytes of one piece, 32 KiB, which are about 280 connections. The kernel makes none longer.
const PIECE_BYTES: usize = 32 << 10;

/// The state LISTEN, as a bit.
const LISTENING: u32 = 1 << 10;

/// Whether the kernel tells when connections of this listening socket end. It does not for another protocol than TCP
/// (as MPTCP, with which Go's programs listen), nor for a socket of another network namespace, as a service manager
/// may pass one.
///
/// # Errors
///
/// The system's own, for a descriptor that is no socket, or where it has no word about TCP.
pub fn tells_of(listener: BorrowedFd<'_>) -> io::Result<bool> {
    let family = match sockopt::socket_domain(listener)? {
        AddressFamily::INET => INET,
        AddressFamily::INET6 => INET6,
        _ => return Ok(false),
    };
    let (wanted, mut found) = (cookie(listener)?, false);
    Asker::new()?.ask(family, LISTENING, &[], |cookie, _| found |= cookie == wanted)?;
    Ok(found)
}

/// Asks for no socket at all, which is answered if the kernel can speak about TCP.
///
/// # Errors
/// `ENOENT` when it cannot.
pub(super) fn is_answered() -> io::Result<()> {
    let mut asker = Asker::new()?;
    for family in [INET, INET6] {
        asker.ask(family, 0, &[], |_, _| ())?;
    }
    Ok(())
}

/// A netlink socket for questions.
#[derive(Debug)]
pub(super) struct Asker {
    socket: OwnedFd,
    /// The number of the last question.
    sequence: u32,
    piece: Box<[u8]>,
}

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Complete, as far as the kernel can say.
    Complete,
    /// The kernel noticed that its table had changed meanwhile.
    Interrupted,
}

impl Asker {
    pub(super) fn new() -> io::Result<Self> {
        let piece = vec![0; PIECE_BYTES].into_boxed_slice();
        Ok(Self { socket: open()?, sequence: 0, piece })
    }

    /// Asks for the sockets of a family, in these states, at these local ports (none: all). Hands over each, and
    /// whether a descriptor leads to it. After a failure no further question may be asked.
    pub(super) fn ask(
        &mut self,
        family: u8,
        states: u32,
        ports: &[u16],
        mut found: impl FnMut(Cookie, bool),
    ) -> io::Result<Answer> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        let request = Request { sequence, family, states, ports };
        write(&self.socket, &request.bytes())?;
        let mut interrupted = false;
        loop {
            let mut parts = Parts::new(self.read()?, sequence);
            while let Some(part) = parts.next() {
                interrupted |= parts.interrupted();
                match part {
                    Part::Socket { cookie, held } => found(cookie, held),
                    Part::Done if interrupted => return Ok(Answer::Interrupted),
                    Part::Done => return Ok(Answer::Complete),
                    Part::Failed(errno) => return Err(errno.into()),
                    Part::Malformed => return Err(broken("makes no sense")),
                }
            }
        }
    }

    /// One piece; an empty one in place of what is not the kernel's.
    fn read(&mut self) -> io::Result<&[u8]> {
        let received = read(&self.socket, &mut self.piece).map_err(|error| match error.kind() {
            // There is always a piece, or an end.
            io::ErrorKind::WouldBlock => broken("breaks off"),
            _ => error,
        })?;
        match received.from_kernel {
            true if received.cut => Err(broken("is longer than it may be")),
            true => Ok(&self.piece[..received.n]),
            false => Ok(&[]),
        }
    }
}

fn broken(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("an answer of sock_diag {how}"))
}
