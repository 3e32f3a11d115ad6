//! Reading one answer: status line, the few headers that matter here, and the body.

use super::body::{Body, Fed, Framing};

/// Status line and headers together may be so long, in bytes.
pub const MAX_HEAD: usize = 16 << 10;
/// A body may be so long, in bytes.
pub const MAX_BODY: u64 = 64 << 20;
/// So many interim answers (1xx) may come before the real one.
const MAX_INTERIM: u32 = 8;

/// What input did to the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    More,
    /// Whole; so many bytes of the last piece were not part of it.
    Whole {
        surplus: usize,
    },
}

/// One answer that is being read.
#[derive(Debug, Default)]
pub(super) struct Response {
    begun: bool,
    interim: u32,
    raw: Vec<u8>,
    head: Option<Head>,
    body: Option<Body>,
}

#[derive(Debug)]
struct Head {
    status: u16,
    closes: bool,
    worker: Option<Vec<u8>>,
    generation: Option<Vec<u8>>,
}

impl Response {
    /// Whether any byte of an answer has come.
    pub(super) const fn begun(&self) -> bool {
        self.begun
    }

    pub(super) fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    /// Whether the server said that it will close, or the answer ends with the connection.
    pub(super) fn closes(&self) -> bool {
        self.head.as_ref().is_none_or(|head| head.closes)
    }

    /// The header `x-worker`.
    pub(super) fn worker_header(&self) -> Option<&[u8]> {
        self.head.as_ref()?.worker.as_deref()
    }

    /// The header `x-generation`.
    pub(super) fn generation_header(&self) -> Option<&[u8]> {
        self.head.as_ref()?.generation.as_deref()
    }

    /// The first bytes of the body.
    pub(super) fn body_window(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], Body::window)
    }

    /// Takes the next bytes of the connection; their division does not matter.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Parsed, &'static str> {
        self.begun |= !piece.is_empty();
        if let Some(body) = &mut self.body {
            return Ok(parsed(body.feed(piece)?, piece.len()));
        }
        let searched = self.raw.len().saturating_sub(3);
        self.raw.extend_from_slice(piece);
        let Some(end) = find(&self.raw[searched..], b"\r\n\r\n").map(|at| searched + at + 4) else {
            let sound = self.raw.len() <= MAX_HEAD && looks_like_http(&self.raw);
            return if sound {
                Ok(Parsed::More)
            } else {
                Err("the answer is no HTTP or its head is too long")
            };
        };
        let (head, framing) = read_head(&self.raw[..end])?;
        let rest = self.raw.split_off(end);
        self.raw.clear();
        if (100..200).contains(&head.status) {
            self.interim += 1;
            return if self.interim > MAX_INTERIM {
                Err("too many interim answers")
            } else {
                self.feed(&rest)
            };
        }
        self.head = Some(head);
        let body = self.body.insert(Body::new(framing, MAX_BODY));
        Ok(parsed(body.feed(&rest)?, rest.len()))
    }

    /// The connection has ended: whether the answer is whole by that.
    pub(super) fn whole_at_eof(&self) -> bool {
        self.body.as_ref().is_some_and(Body::ends_with_eof)
    }
}

fn parsed(fed: Fed, given: usize) -> Parsed {
    match fed {
        Fed::More => Parsed::More,
        Fed::Whole(taken) => Parsed::Whole { surplus: given - taken },
    }
}

fn looks_like_http(start: &[u8]) -> bool {
    let magic = b"HTTP/1.";
    let length = start.len().min(magic.len());
    start[..length] == magic[..length]
}

fn read_head(head: &[u8]) -> Result<(Head, Framing), &'static str> {
    let text = std::str::from_utf8(head).map_err(|_| "the head is not text")?;
    let mut lines = text.trim_end().split("\r\n");
    let (minor, status) =
        read_status(lines.next().unwrap_or_default()).ok_or("no HTTP/1 status line")?;
    let (mut length, mut chunked, mut worker, mut generation) = (None, false, None, None);
    let mut closes = minor == 0;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let number = value.parse::<u64>().map_err(|_| "an unreadable content-length")?;
            if length.is_some_and(|other| other != number) {
                return Err("two different content-lengths");
            }
            length = Some(number);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = has_token(value, "chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            closes = has_token(value, "close") || (closes && !has_token(value, "keep-alive"));
        } else if name.eq_ignore_ascii_case("x-worker") {
            worker = Some(value.as_bytes().to_vec());
        } else if name.eq_ignore_ascii_case("x-generation") {
            generation = Some(value.as_bytes().to_vec());
        }
    }
    let framing = match (status, chunked, length) {
        (100..=199 | 204 | 304, _, _) => Framing::Length(0),
        (_, true, _) => Framing::Chunked,
        (_, false, Some(length)) => Framing::Length(length),
        (_, false, None) => Framing::UntilEof,
    };
    let closes = closes || framing == Framing::UntilEof;
    Ok((Head { status, closes, worker, generation }, framing))
}

/// The minor version and the status.
fn read_status(line: &str) -> Option<(u8, u16)> {
    let (version, rest) = line.strip_prefix("HTTP/1.")?.split_once(' ')?;
    let digits = rest.get(..3).filter(|_| matches!(rest.as_bytes().get(3), None | Some(b' ')))?;
    let status = digits.parse().ok().filter(|status| (100..1000).contains(status))?;
    Some((version.parse().ok().filter(|minor| *minor < 2)?, status))
}

fn has_token(value: &str, token: &str) -> bool {
    value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token))
}

pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::{Parsed, Response};

    fn feed_in(pieces: &[&[u8]]) -> (Response, Result<Parsed, &'static str>) {
        let mut response = Response::default();
        let mut last = Ok(Parsed::More);
        for piece in pieces {
            last = response.feed(piece);
        }
        (response, last)
    }

    const CHUNKED: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Worker: 7\r\nX-Generation: 2\r\n\
        Transfer-Encoding: chunked\r\n\r\n6;note=x\r\nworker\r\n3\r\n 12\r\n0\r\nTrailer: y\r\n\r\n";

    #[test]
    fn the_result_does_not_depend_on_where_the_bytes_are_divided() {
        for first in 0..CHUNKED.len() {
            for second in first..CHUNKED.len() {
                let pieces = [&CHUNKED[..first], &CHUNKED[first..second], &CHUNKED[second..]];
                let (response, last) = feed_in(&pieces);
                assert_eq!(
                    last,
                    Ok(Parsed::Whole { surplus: 0 }),
                    "divided at {first} and {second}"
                );
                assert_eq!(response.body_window(), b"worker 12");
                assert_eq!(response.worker_header(), Some(&b"7"[..]));
                assert_eq!(response.generation_header(), Some(&b"2"[..]));
                assert_eq!((response.status(), response.closes()), (200, false));
            }
        }
    }

    #[test]
    fn every_shorter_beginning_is_not_yet_whole() {
        for end in 0..CHUNKED.len() {
            let (response, last) = feed_in(&[&CHUNKED[..end]]);
            assert_eq!(last, Ok(Parsed::More), "cut at {end}");
            assert!(!response.whole_at_eof(), "cut at {end}");
        }
    }

    #[test]
    fn bytes_behind_the_answer_are_surplus() {
        let (_, last) = feed_in(&[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP"]);
        assert_eq!(last, Ok(Parsed::Whole { surplus: 4 }));
    }

    #[test]
    fn an_answer_without_a_length_ends_with_the_connection() {
        let (response, last) = feed_in(&[b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo"]);
        assert_eq!(last, Ok(Parsed::More));
        assert!(response.whole_at_eof() && response.closes());
    }

    #[test]
    fn who_closes_is_read_from_version_and_header() {
        for (head, closes) in [
            ("HTTP/1.1 204 No Content\r\n", false),
            ("HTTP/1.1 204 No Content\r\nConnection: Close\r\n", true),
            ("HTTP/1.0 204 No Content\r\n", true),
            ("HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n", false),
        ] {
            let (response, last) = feed_in(&[head.as_bytes(), b"\r\n"]);
            assert_eq!(last, Ok(Parsed::Whole { surplus: 0 }), "{head}");
            assert_eq!(response.closes(), closes, "{head}");
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error_as_soon_as_it_shows() {
        for bytes in [
            &b"SSH-2.0"[..],
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        ] {
            let (_, last) = feed_in(&[bytes]);
            assert!(last.is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn a_head_without_end_is_refused_at_its_limit() {
        let mut response = Response::default();
        response.feed(b"HTTP/1.1 200 OK\r\n").unwrap();
        let fed =
            (0..1000).map(|_| response.feed(b"A: 0123456789012345678\r\n")).find(Result::is_err);
        assert!(fed.is_some());
    }
}
