//! Version 2: binary, with its length in front.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::cursor::Cursor;
use super::super::sight::{Missing, Sight};
use super::PROXY_BYTES;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// What comes before the addresses.
const FIXED_BYTES: usize = 16;

/// Passes the header, additions included, and gives the client's address. Additions are not looked at, so a
/// checksum among them is not verified.
pub(super) fn source(cursor: &mut Cursor<'_>) -> Sight<Option<SocketAddr>> {
    cursor.expect(SIGNATURE)?;
    let command = cursor.byte()?;
    let family = cursor.byte()?;
    let kind = kind(command, family)?;
    let length = usize::from(u16::from_be_bytes(cursor.bytes()?));
    if length < kind.bytes() || FIXED_BYTES + length > PROXY_BYTES {
        return Err(Missing::Absent);
    }
    let source = match kind {
        Kind::Unnamed | Kind::Unix => None,
        Kind::Inet => Some(inet(cursor)?),
        Kind::Inet6 => Some(inet6(cursor)?),
    };
    cursor.skip(FIXED_BYTES + length - cursor.passed())?;
    Ok(source)
}

/// Which addresses follow.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// None that count: the proxy speaks for itself (LOCAL), or does not know.
    Unnamed,
    Inet,
    Inet6,
    Unix,
}

impl Kind {
    /// How long the addresses are.
    const fn bytes(self) -> usize {
        match self {
            Self::Unnamed => 0,
            Self::Inet => 2 * (4 + 2),
            Self::Inet6 => 2 * (16 + 2),
            Self::Unix => 2 * 108,
        }
    }
}

fn kind(command: u8, family: u8) -> Sight<Kind> {
    match (command, family >> 4, family & 0xf) {
        // LOCAL: a receiver ignores the family, even one that does not exist.
        (0x20, _, _) => Ok(Kind::Unnamed),
        (0x21, 0, 0..=2) | (0x21, 1..=3, 0) => Ok(Kind::Unnamed),
        (0x21, 1, 1 | 2) => Ok(Kind::Inet),
        (0x21, 2, 1 | 2) => Ok(Kind::Inet6),
        (0x21, 3, 1 | 2) => Ok(Kind::Unix),
        // Another version, or a command, family or transport that a receiver must reject.
        _ => Err(Missing::Absent),
    }
}

fn inet(cursor: &mut Cursor<'_>) -> Sight<SocketAddr> {
    let source = Ipv4Addr::from(cursor.bytes::<4>()?);
    let _destination = cursor.bytes::<4>()?;
    Ok((source, ports(cursor)?).into())
}

fn inet6(cursor: &mut Cursor<'_>) -> Sight<SocketAddr> {
    let source = Ipv6Addr::from(cursor.bytes::<16>()?);
    let _destination = cursor.bytes::<16>()?;
    Ok((source, ports(cursor)?).into())
}

/// The source's.
fn ports(cursor: &mut Cursor<'_>) -> Sight<u16> {
    let source = u16::from_be_bytes(cursor.bytes()?);
    let _destination = cursor.bytes::<2>()?;
    Ok(source)
}

#[cfg(test)]
mod tests {
    use super::super::{ProxyHeader, proxy_header};
    use super::*;

    /// A header, and the beginning of what follows it.
    fn bytes(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    fn source_of(command: u8, family: u8, body: &[u8]) -> Sight<Option<SocketAddr>> {
        let header = bytes(command, family, body);
        let all = [&header[..], b"GET"].concat();
        proxy_header(&all).map(|found: ProxyHeader| {
            assert_eq!(found.bytes, header.len());
            found.source
        })
    }

    const INET: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 1, 187];

    fn inet6() -> Vec<u8> {
        let source: Ipv6Addr = "2001:db8::1".parse().unwrap();
        [&source.octets()[..], &[9; 16], &[0xdc, 0x04, 1, 187]].concat()
    }

    #[test]
    fn the_source_is_the_first_address_and_the_first_port() {
        let inet = Ok(Some("192.0.2.1:56324".parse().unwrap()));
        assert_eq!(source_of(0x21, 0x11, &INET), inet);
        assert_eq!(source_of(0x21, 0x12, &INET), inet);
        let expected = Ok(Some("[2001:db8::1]:56324".parse().unwrap()));
        assert_eq!(source_of(0x21, 0x21, &inet6()), expected);
        assert_eq!(source_of(0x21, 0x22, &inet6()), expected);
    }

    #[test]
    fn additions_are_passed_over() {
        let body = [&INET[..], &[0x01, 0, 2, b'h', b'2'], &[0x04, 0, 0]].concat();
        assert_eq!(source_of(0x21, 0x11, &body), source_of(0x21, 0x11, &INET));
    }

    #[test]
    fn without_a_client_the_connections_own_peer_counts() {
        assert_eq!(source_of(0x20, 0x00, &[]), Ok(None));
        assert_eq!(source_of(0x20, 0x11, &INET), Ok(None));
        assert_eq!(source_of(0x20, 0xff, &[1, 2, 3]), Ok(None));
        assert_eq!(source_of(0x21, 0x00, &[]), Ok(None));
        assert_eq!(source_of(0x21, 0x01, &INET), Ok(None));
        assert_eq!(source_of(0x21, 0x10, &INET), Ok(None));
        assert_eq!(source_of(0x21, 0x31, &[b'/'; 216]), Ok(None));
        assert_eq!(source_of(0x21, 0x32, &[b'/'; 216]), Ok(None));
    }

    #[test]
    fn what_a_receiver_must_reject_is_absent() {
        for command in (0..=255).filter(|command| !matches!(command, 0x20 | 0x21)) {
            assert_eq!(source_of(command, 0x11, &INET), Err(Missing::Absent), "{command:#x}");
        }
        for family in [0x03, 0x13, 0x23, 0x33, 0x40, 0x41, 0xf1] {
            assert_eq!(source_of(0x21, family, &[0; 300]), Err(Missing::Absent), "{family:#x}");
        }
    }

    #[test]
    fn addresses_that_do_not_fit_the_length_are_absent() {
        assert_eq!(source_of(0x21, 0x11, &INET[..11]), Err(Missing::Absent));
        assert_eq!(source_of(0x21, 0x21, &inet6()[..35]), Err(Missing::Absent));
        assert_eq!(source_of(0x21, 0x31, &[0; 215]), Err(Missing::Absent));
    }

    #[test]
    fn nothing_is_told_before_the_header_is_complete() {
        let header = bytes(0x21, 0x11, &[&INET[..], &[0x04, 0, 1, 7]].concat());
        for length in 0..header.len() {
            assert_eq!(proxy_header(&header[..length]), Err(Missing::NeedMore), "{length}");
        }
        assert!(proxy_header(&header).is_ok());
    }

    #[test]
    fn a_wrong_signature_is_told_at_its_first_wrong_byte() {
        for at in 1..SIGNATURE.len() {
            let mut wrong = *SIGNATURE;
            wrong[at] ^= 0x20;
            assert_eq!(proxy_header(&wrong[..at]), Err(Missing::NeedMore), "{at}");
            assert_eq!(proxy_header(&wrong[..=at]), Err(Missing::Absent), "{at}");
        }
    }

    #[test]
    fn a_header_may_have_the_limit_and_not_a_byte_more() {
        let body = [&INET[..], &vec![0; PROXY_BYTES - FIXED_BYTES - INET.len()]].concat();
        assert!(matches!(source_of(0x21, 0x11, &body), Ok(Some(_))));
        let longer = bytes(0x21, 0x11, &[&body[..], &[0]].concat());
        assert_eq!(proxy_header(&longer[..FIXED_BYTES - 1]), Err(Missing::NeedMore));
        assert_eq!(proxy_header(&longer[..FIXED_BYTES]), Err(Missing::Absent));
        assert_eq!(proxy_header(&longer), Err(Missing::Absent));
    }
}
