//! What the kernel says, from bytes. Pure: whatever the bytes are, nothing here panics or runs for ever.

use rustix::io::Errno;

use super::cookie::Cookie;
use super::layout::{
    DONE, ERROR, FAMILY, FLAGS, HEADER, INET, INET6, INODE, INTERRUPTED, MESSAGE, SEQUENCE,
    SOCK_DIAG_BY_FAMILY, TYPE, cookie, half, word,
};

/// The socket whose end a message tells, from the first [`MESSAGE`] bytes of it; `None` for any other message.
pub(super) fn ended(message: &[u8]) -> Option<Cookie> {
    // The length is that of the whole message, of which the receiver may have taken the beginning alone.
    let whole = word(message, 0)? as usize >= MESSAGE && message.len() >= MESSAGE;
    if whole { socket(message).map(|(cookie, _)| cookie) } else { None }
}

/// One part of the answer to a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A socket that exists.
    Socket {
        /// Its name.
        cookie: Cookie,
        /// A descriptor leads to it, be it on its way between two processes. None leads to a socket that
        /// nobody accepted yet, to one that its last holder closed, and to what is left of one in TIME_WAIT.
        held: bool,
    },
    /// All has been told.
    Done,
    /// The kernel gave up, or would not begin.
    Failed(Errno),
    /// Bytes that make no sense. Nothing follows.
    Malformed,
}

/// The parts of one datagram with answers. Messages of other kinds, and answers to other questions, are passed
/// over.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    rest: &'a [u8],
    sequence: u32,
    interrupted: bool,
}

impl<'a> Parts<'a> {
    /// Reads the answers to the question with this number.
    pub(super) const fn new(datagram: &'a [u8], sequence: u32) -> Self {
        Self { rest: datagram, sequence, interrupted: false }
    }

    /// Whether one of the parts so far said that the kernel's list changed while it was being told.
    pub(super) const fn interrupted(&self) -> bool {
        self.interrupted
    }

    /// The next message, whole. Its length is at least that of a header, so the rest always shrinks.
    fn message(&mut self) -> Option<&'a [u8]> {
        let length = word(self.rest, 0)? as usize;
        let message = self.rest.get(..length).filter(|it| it.len() >= HEADER)?;
        // Messages begin at multiples of four bytes; the last one may end without the gap.
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        while !self.rest.is_empty() {
            let part = match self.message() {
                None => Some(Part::Malformed),
                Some(message) if word(message, SEQUENCE)? != self.sequence => None,
                Some(message) => {
                    self.interrupted |= half(message, FLAGS)? & INTERRUPTED != 0;
                    part(message)
                }
            };
            if part == Some(Part::Malformed) {
                self.rest = &[];
            }
            if part.is_some() {
                return part;
            }
        }
        None
    }
}

fn part(message: &[u8]) -> Option<Part> {
    match half(message, TYPE)? {
        // Both carry an errno, negative. Without a handler for TCP the answer is a DONE with ENOENT; without
        // one for the family it is an ERROR. An ERROR of zero is a receipt, which nobody asked for.
        DONE => Some(code(message).map_or(Part::Done, Part::Failed)),
        ERROR => Some(code(message).map_or(Part::Malformed, Part::Failed)),
        SOCK_DIAG_BY_FAMILY => match socket(message) {
            Some((cookie, held)) => Some(Part::Socket { cookie, held }),
            None => Some(Part::Malformed),
        },
        // The kernel has filler messages, and may get others.
        _ => None,
    }
}

fn code(message: &[u8]) -> Option<Errno> {
    let code = i32::from_ne_bytes(word(message, HEADER)?.to_ne_bytes());
    // An errno is between 1 and 4095; no other value is made into one.
    (-4095..0).contains(&code).then(|| Errno::from_raw_os_error(-code))
}

fn socket(message: &[u8]) -> Option<(Cookie, bool)> {
    let ours = half(message, TYPE)? == SOCK_DIAG_BY_FAMILY;
    let internet = matches!(*message.get(FAMILY)?, INET | INET6);
    (ours && internet).then_some((cookie(message)?, word(message, INODE)? != 0))
}

#[cfg(test)]
mod tests;
