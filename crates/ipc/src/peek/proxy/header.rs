//! Either version of the header, told apart by its first byte.

use std::net::SocketAddr;

use super::super::cursor::Cursor;
use super::super::sight::{Missing, Sight, within};
use super::v1::{self, PROXY_LINE_BYTES};
use super::v2;

/// Most bytes of a header of version 2, additions (TLVs) included: 4 KiB. The specification has 536 in mind,
/// so that it fits one segment; proxies that add a client's whole certificate go beyond. A header that says
/// that it is longer is absent.
pub const PROXY_BYTES: usize = 4 * 1024;

/// A complete and valid header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyHeader {
    /// The client, as the proxy saw it. `None` where the proxy does not know one, speaks for itself (a check
    /// of health) or names a Unix-domain socket: the connection's own peer counts then.
    pub source: Option<SocketAddr>,
    /// Its length in bytes: the connection's own bytes begin there.
    pub bytes: usize,
}

/// The header with which these bytes begin. It is complete before anything in it is believed.
///
/// # Errors
/// What is [`Missing`]: absent also means that the header is wrong.
pub fn proxy_header(bytes: &[u8]) -> Sight<ProxyHeader> {
    match bytes.first() {
        None => Err(Missing::NeedMore),
        Some(b'P') => within(bytes, PROXY_LINE_BYTES, |line| complete(line, v1::source)),
        Some(b'\r') => within(bytes, PROXY_BYTES, |header| complete(header, v2::source)),
        Some(_) => Err(Missing::Absent),
    }
}

fn complete(
    bytes: &[u8],
    source: fn(&mut Cursor<'_>) -> Sight<Option<SocketAddr>>,
) -> Sight<ProxyHeader> {
    let mut cursor = Cursor::new(bytes);
    let source = source(&mut cursor)?;
    Ok(ProxyHeader { source, bytes: cursor.passed() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_begin_no_header_are_told_at_the_first_of_them() {
        assert_eq!(proxy_header(b""), Err(Missing::NeedMore));
        for byte in (0..=255).filter(|byte| !b"P\r".contains(byte)) {
            assert_eq!(proxy_header(&[byte]), Err(Missing::Absent), "{byte}");
        }
    }
}
