//! What is looked for, and what was seen.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use super::hash::KeyHash;
use super::http::{HEAD_BYTES, http_value};
use super::key::Key;
use super::proxy::{PROXY_BYTES, proxy_header};
use super::recv::{Peeked, peek};
use super::route::route;
use super::sight::Missing;

/// What is looked for in the first bytes of a connection. By default nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Every connection begins with a header of the PROXY protocol, whose source is the client. One that
    /// begins otherwise has no source and no key.
    pub proxy: bool,
    /// The part of the HTTP request that names the session.
    pub key: Option<Key>,
    /// Most bytes of a request's head in which the key is sought; beyond it the key is absent. Nobody reads
    /// meanwhile, so all of it must fit the socket's receive buffer, as it does unless somebody made that
    /// small. Default [`HEAD_BYTES`].
    pub head_bytes: u16,
}

/// What was seen. Each is `None` where it was not looked for, or is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    /// The client's address, where a proxy named one. Else the connection's own peer is the client.
    pub source: Option<SocketAddr>,
    /// The session.
    pub key: Option<KeyHash>,
    /// The place that the session's name names, see [`route`](fn@route).
    pub route: Option<u32>,
}

/// What one look gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// Everything that was looked for is seen, or will not come.
    Settled(Seen),
    /// More bytes may show more than this.
    NeedMore(Seen),
}

impl Default for Look {
    fn default() -> Self {
        Self { proxy: false, key: None, head_bytes: HEAD_BYTES }
    }
}

impl Look {
    /// How many bytes at most are needed to settle everything.
    #[must_use]
    pub fn room(&self) -> usize {
        let proxy = if self.proxy { PROXY_BYTES } else { 0 };
        let head = if self.key.is_some() { usize::from(self.head_bytes) } else { 0 };
        proxy + head
    }

    /// What the beginning of a connection shows. What is settled stays so, whatever follows.
    #[must_use]
    pub fn judge(&self, bytes: &[u8]) -> Glance {
        let mut seen = Seen::default();
        let mut own = bytes;
        if self.proxy {
            match proxy_header(bytes) {
                Ok(header) => {
                    seen.source = header.source;
                    own = bytes.get(header.bytes..).unwrap_or_default();
                }
                Err(Missing::NeedMore) => return Glance::NeedMore(seen),
                // Where the request would begin is not known then.
                Err(Missing::Absent) => return Glance::Settled(seen),
            }
        }
        let Some(key) = &self.key else { return Glance::Settled(seen) };
        match http_value(own, key, self.head_bytes) {
            Ok(value) => {
                seen.key = Some(KeyHash::of(value));
                seen.route = route(value);
            }
            Err(Missing::NeedMore) => return Glance::NeedMore(seen),
            Err(Missing::Absent) => {}
        }
        Glance::Settled(seen)
    }

    /// One look at what a connection has received and nobody has read. Needs no runtime and never waits.
    ///
    /// A peer that ended in the middle of its head still gives [`Glance::NeedMore`]: the bytes alone do not
    /// show the end. A [`Peeker`](super::Peeker) is told of it.
    ///
    /// `buffer` grows to [`room`](Self::room) and holds nothing from one call to the next: one serves all
    /// connections.
    ///
    /// # Errors
    /// As [`peek`].
    pub fn at(&self, socket: BorrowedFd<'_>, buffer: &mut Vec<u8>) -> io::Result<Glance> {
        let room = self.room();
        if room == 0 {
            return Ok(Glance::Settled(Seen::default()));
        }
        if buffer.len() < room {
            buffer.resize(room, 0);
        }
        let buffer = &mut buffer[..room];
        Ok(match peek(socket, buffer)? {
            Peeked::Bytes(count) => self.judge(&buffer[..count]),
            Peeked::NothingYet => Glance::NeedMore(Seen::default()),
            Peeked::Ended => Glance::Settled(Seen::default()),
        })
    }
}

impl Glance {
    /// What was seen so far.
    #[must_use]
    pub const fn seen(self) -> Seen {
        match self {
            Self::Settled(seen) | Self::NeedMore(seen) => seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n";
    const HEAD: &[u8] = b"GET /?sid=abc HTTP/1.1\r\nHost: x\r\n\r\n";

    fn both() -> Look {
        Look { proxy: true, key: Some(Key::query("sid").unwrap()), ..Look::default() }
    }

    fn source() -> Option<SocketAddr> {
        Some("192.0.2.1:4711".parse().unwrap())
    }

    fn key() -> Option<KeyHash> {
        Some(KeyHash::of(b"abc"))
    }

    #[test]
    fn who_looks_for_nothing_is_done_before_the_first_byte() {
        assert_eq!(Look::default().judge(b""), Glance::Settled(Seen::default()));
        assert_eq!(Look::default().room(), 0);
    }

    #[test]
    fn the_request_begins_behind_the_proxys_header() {
        let all = [LINE, HEAD].concat();
        let seen = Seen { source: source(), key: key(), route: None };
        assert_eq!(both().judge(&all), Glance::Settled(seen));
        let proxy_alone = Look { key: None, ..both() };
        assert_eq!(proxy_alone.judge(&all), Glance::Settled(Seen { key: None, ..seen }));
        let key_alone = Look { proxy: false, ..both() };
        assert_eq!(key_alone.judge(HEAD), Glance::Settled(Seen { source: None, ..seen }));
        assert_eq!(key_alone.judge(&all), Glance::Settled(Seen::default()));
    }

    #[test]
    fn the_source_is_seen_while_the_request_is_awaited() {
        let all = [LINE, HEAD].concat();
        let nothing = Glance::NeedMore(Seen::default());
        let half = Glance::NeedMore(Seen { source: source(), ..Seen::default() });
        let settled = LINE.len() + HEAD.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in 0..settled {
            let expected = if length < LINE.len() { nothing } else { half };
            assert_eq!(both().judge(&all[..length]), expected, "{length}");
        }
        assert!(matches!(both().judge(&all[..settled]), Glance::Settled(_)));
    }

    #[test]
    fn where_a_proxy_is_expected_a_connection_without_its_header_shows_nothing() {
        for bytes in [HEAD, b"PROXY nonsense\r\nGET /?sid=abc HTTP/1.1\r\n", b"\x16\x03\x01"] {
            assert_eq!(both().judge(bytes), Glance::Settled(Seen::default()));
        }
    }

    #[test]
    fn behind_a_proxys_header_there_may_be_no_http() {
        let all = [LINE, b"\x16\x03\x01"].concat();
        assert_eq!(
            both().judge(&all),
            Glance::Settled(Seen { source: source(), ..Seen::default() })
        );
    }

    #[test]
    fn a_proxy_that_names_nobody_still_shows_the_session() {
        let all = [b"PROXY UNKNOWN\r\n", HEAD].concat();
        assert_eq!(both().judge(&all), Glance::Settled(Seen { key: key(), ..Seen::default() }));
    }

    #[test]
    fn whatever_settles_it_fits_the_room() {
        let look = Look { key: Some(Key::header("x").unwrap()), ..both() };
        let proxy = [&b"\r\n\r\n\0\r\nQUIT\n\x20\0\x0f\xf0"[..], &[0; PROXY_BYTES - 16]].concat();
        let endless = [&proxy[..], b"GET /", &[b'a'; HEAD_BYTES as usize]].concat();
        assert_eq!(look.judge(&endless[..look.room() - 1]), Glance::NeedMore(Seen::default()));
        assert_eq!(look.judge(&endless[..look.room()]), Glance::Settled(Seen::default()));
    }
}
