//! Where things lie in the messages of sock_diag(7), and how their numbers are written.
//!
//! A message is a `nlmsghdr` (netlink(7)), and behind it an `inet_diag_msg`: both of `linux/netlink.h` and
//! `linux/inet_diag.h`, without gaps. All numbers are in the byte order of this machine, ports and addresses
//! alone in that of the network. Of a cookie the lower half comes first, on every machine.

use super::cookie::Cookie;

/// Bytes of a `nlmsghdr`: length, type, flags, sequence, port.
pub(super) const HEADER: usize = 16;
/// Bytes of a header and the `inet_diag_msg` behind it. Attributes follow, which nobody here reads.
pub(super) const MESSAGE: usize = HEADER + 72;

/// `nlmsg_type` and `nlmsg_flags`, `u16`; `nlmsg_seq`, `u32`.
pub(super) const TYPE: usize = 4;
pub(super) const FLAGS: usize = 6;
pub(super) const SEQUENCE: usize = 8;
/// `idiag_family`, one byte.
pub(super) const FAMILY: usize = HEADER;
/// `id.idiag_sport`, the local port, in the order of the network.
pub(super) const LOCAL_PORT: usize = HEADER + 4;
/// `id.idiag_cookie`, two `u32`.
const COOKIE: usize = HEADER + 44;
/// `idiag_inode`, `u32`: zero when no descriptor leads to the socket.
pub(super) const INODE: usize = HEADER + 68;

/// `NLMSG_ERROR`, `NLMSG_DONE`, and the type with which one asks for a socket and is told of one.
pub(super) const ERROR: u16 = 2;
pub(super) const DONE: u16 = 3;
pub(super) const SOCK_DIAG_BY_FAMILY: u16 = 20;

/// Flags: `NLM_F_REQUEST | NLM_F_DUMP` of a question, `NLM_F_DUMP_INTR` of an answer.
pub(super) const DUMP: u16 = 0x301;
pub(super) const INTERRUPTED: u16 = 0x10;

/// `AF_INET` and `AF_INET6`, as one byte. Linux has these numbers on every machine.
pub(super) const INET: u8 = 2;
pub(super) const INET6: u8 = 10;

/// Reads a `u16`; `None` when the bytes end before it.
pub(super) fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads a `u32`; `None` when the bytes end before it.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads the cookie of a message; `None` when the bytes end before it.
pub(super) fn cookie(message: &[u8]) -> Option<Cookie> {
    let (low, high) = (word(message, COOKIE)?, word(message, COOKIE + 4)?);
    Some(Cookie(u64::from(high) << 32 | u64::from(low)))
}
