//! One value in the head of an HTTP/1 request (RFC 9112): the request line and the headers behind it.
//!
//! What the RFC leaves to a recipient is decided so:
//!
//! | in the request | section | here |
//! |---|---|---|
//! | empty lines before the request line | 2.2 | passed over |
//! | a line that ends with LF alone | 2.2 | ends there: servers differ, and one that accepts it shall find its client |
//! | CR without LF, NUL | 2.2, RFC 9110 5.5 | absent |
//! | anything but one space between the parts of the request line | 3 | absent |
//! | a version other than 1.x, such as the preface of HTTP/2 | 2.3 | absent |
//! | a line that begins with a blank (obs-fold, or before the first header) | 5.2, 2.2 | passed over, with what it holds |
//! | a header without a colon, or with a blank before it | 5.1 | absent |
//!
//! Wherever a server would answer 400, absent costs nothing.

use super::cursor::Cursor;
use super::key::Key;
use super::sight::{Missing, Sight, within};

/// Default of [`Look::head_bytes`](super::Look::head_bytes): 8 KiB, of which browsers and proxies seldom use
/// a half.
pub const HEAD_BYTES: u16 = 8 * 1024;

/// The value that `key` names in the request that begins here. Beyond `head_bytes` nothing is looked for.
///
/// A header's value is without the blanks round it, a cookie's without quotes, and nothing is decoded. Of
/// several values the first that is not empty counts; one that does not end within the limit is absent, since
/// a part of it would bring clients together that have only a beginning in common.
///
/// # Errors
/// What is [`Missing`].
pub fn http_value<'a>(bytes: &'a [u8], key: &Key, head_bytes: u16) -> Sight<&'a [u8]> {
    within(bytes, usize::from(head_bytes), |head| find(head, key))
}

fn find<'a>(head: &'a [u8], key: &Key) -> Sight<&'a [u8]> {
    let mut cursor = Cursor::new(head);
    let target = request_line(&mut cursor)?;
    if let Some(value) = key.in_target(target) {
        return value.ok_or(Missing::Absent);
    }
    loop {
        match line(&mut cursor)? {
            Line::Header(name, value) => {
                if let Some(value) = key.in_header(name, value) {
                    return Ok(value);
                }
            }
            Line::Folded => {}
            Line::Empty => return Err(Missing::Absent),
        }
    }
}

/// The request's target. The whole line must have come, and it must be one of HTTP/1.
fn request_line<'a>(cursor: &mut Cursor<'a>) -> Sight<&'a [u8]> {
    while matches!(cursor.first()?, b'\r' | b'\n') {
        line_end(cursor)?;
    }
    some(cursor.take_while(is_token)?)?;
    cursor.expect(b" ")?;
    let target = some(cursor.take_while(is_visible)?)?;
    cursor.expect(b" HTTP/1.")?;
    if !cursor.byte()?.is_ascii_digit() {
        return Err(Missing::Absent);
    }
    line_end(cursor)?;
    Ok(target)
}

enum Line<'a> {
    Header(&'a [u8], &'a [u8]),
    /// It continues the line before it.
    Folded,
    /// The end of the head.
    Empty,
}

fn line<'a>(cursor: &mut Cursor<'a>) -> Sight<Line<'a>> {
    let line = match cursor.first()? {
        b'\r' | b'\n' => Line::Empty,
        b' ' | b'\t' => {
            cursor.take_while(is_text)?;
            Line::Folded
        }
        _ => {
            let name = some(cursor.take_while(is_token)?)?;
            cursor.expect(b":")?;
            Line::Header(name, cursor.take_while(is_text)?.trim_ascii())
        }
    };
    line_end(cursor)?;
    Ok(line)
}

fn line_end(cursor: &mut Cursor<'_>) -> Sight<()> {
    if cursor.first()? == b'\r' {
        cursor.byte()?;
    }
    cursor.expect(b"\n")
}

fn some(bytes: &[u8]) -> Sight<&[u8]> {
    if bytes.is_empty() { Err(Missing::Absent) } else { Ok(bytes) }
}

/// A character of a method or of a header's name (RFC 9110, 5.6.2).
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// A target has neither blanks nor control characters. Bytes beyond ASCII are none of its own either, but
/// clients send them and servers take them.
const fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

const fn is_text(byte: u8) -> bool {
    !matches!(byte, b'\r' | b'\n' | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seek<'a>(bytes: &'a [u8], key: &Key) -> Sight<&'a [u8]> {
        http_value(bytes, key, HEAD_BYTES)
    }

    fn value(bytes: &[u8]) -> Sight<&[u8]> {
        seek(bytes, &Key::header("x-user").unwrap())
    }

    const ABSENT: Sight<&[u8]> = Err(Missing::Absent);
    const NEED_MORE: Sight<&[u8]> = Err(Missing::NeedMore);

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        for name in ["X-User", "x-user", "X-USER"] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{name}: \t me too\t \r\n");
            assert_eq!(value(head.as_bytes()), Ok(&b"me too"[..]), "{head}");
        }
        assert_eq!(value(b"GET / HTTP/1.1\r\nXX-User: a\r\nX-Users: b\r\n\r\n"), ABSENT);
        assert_eq!(
            value(b"GET / HTTP/1.1\r\nX-User:\r\nX-User: b\r\nX-User: c\r\n"),
            Ok(&b"b"[..])
        );
        assert_eq!(value(b"GET / HTTP/1.1\r\nX-User: \r\n\r\n"), ABSENT);
    }

    #[test]
    fn a_cookie_may_stand_in_the_second_of_two_headers() {
        let key = Key::cookie("sid").unwrap();
        let head = b"GET / HTTP/1.1\r\nCookie: a=1\r\nHost: x\r\ncookie: b=2; sid=\"abc\"\r\n";
        assert_eq!(seek(head, &key), Ok(&b"abc"[..]));
        assert_eq!(seek(b"GET /?sid=1 HTTP/1.1\r\nX-Cookie: sid=2\r\n\r\n", &key), ABSENT);
    }

    #[test]
    fn a_parameter_is_known_at_the_end_of_the_request_line() {
        let key = Key::query("sid").unwrap();
        let line = b"GET /socket.io/?EIO=4&transport=polling&sid=abc HTTP/1.1\r\n";
        for length in 0..line.len() {
            assert_eq!(seek(&line[..length], &key), NEED_MORE, "{length}");
        }
        assert_eq!(seek(line, &key), Ok(&b"abc"[..]));
        assert_eq!(seek(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n", &key), ABSENT);
    }

    #[test]
    fn a_value_that_has_not_ended_is_not_told() {
        let head = b"GET / HTTP/1.1\r\nX-User: abc\r\n";
        for length in 0..head.len() {
            assert_eq!(value(&head[..length]), NEED_MORE, "{length}");
        }
    }

    #[test]
    fn what_is_no_http_is_told_at_its_first_wrong_byte() {
        let cases: [&[u8]; 18] = [
            b"\x16",
            b"\0",
            b"(",
            b" ",
            b"SSH-2.0-OpenSSH_9.6\r",
            b"*1\r",
            b"\r\n\r\n\0",
            b"\rG",
            b"GET  ",
            b"GET /\r",
            b"GET / F",
            b"GET / HTTP/2",
            b"GET / HTTP/1.x",
            b"GET / HTTP/1.1 ",
            b"GET /\x7f",
            b"PRI * HTTP/2",
            b"PROXY TCP4 1",
            b"GET / HTTP/1.1\rX",
        ];
        for bytes in cases {
            let (before, text) = (&bytes[..bytes.len() - 1], String::from_utf8_lossy(bytes));
            assert_eq!(value(before), NEED_MORE, "{text:?} without its last byte");
            assert_eq!(value(bytes), ABSENT, "{text:?}");
        }
    }

    #[test]
    fn a_wrong_header_ends_the_search() {
        let wrong: [&[u8]; 6] = [b"X", b"a b:", b"a :", b":", b"a: b\0", b"a: b\rc"];
        for line in wrong {
            let head = [b"GET / HTTP/1.1\r\n", line, b"\r\nX-User: abc\r\n\r\n"].concat();
            assert_eq!(value(&head), ABSENT, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn a_folded_line_and_what_it_holds_are_passed_over() {
        let folded =
            b"GET / HTTP/1.1\r\n X-User: a\r\nHost: x\r\n\tX-User: b\r\nX-User: c\r\n d\r\n\r\n";
        assert_eq!(value(folded), Ok(&b"c"[..]));
        assert_eq!(value(b"GET / HTTP/1.1\r\nX-User:\r\n abc\r\n\r\n"), ABSENT);
    }

    #[test]
    fn lines_may_end_with_lf_alone_and_empty_ones_may_come_first() {
        assert_eq!(value(b"\r\n\n\r\nGET / HTTP/1.0\nHost: x\nX-User: abc\n\n"), Ok(&b"abc"[..]));
        assert_eq!(value(b"GET / HTTP/1.1\n\nX-User: abc\n"), ABSENT);
    }

    #[test]
    fn beyond_the_limit_nothing_is_found() {
        let key = Key::header("x-user").unwrap();
        let head = b"GET / HTTP/1.1\r\nX-User: abc\r\n\r\n";
        let ends = 29;
        assert_eq!(http_value(head, &key, ends), Ok(&b"abc"[..]));
        assert_eq!(http_value(head, &key, ends - 1), ABSENT);
        assert_eq!(http_value(&head[..20], &key, ends - 1), NEED_MORE);
        assert_eq!(http_value(&head[..20], &key, 20), ABSENT);
        assert_eq!(http_value(b"", &key, 0), ABSENT);
        let endless = vec![b'\n'; usize::from(HEAD_BYTES)];
        assert_eq!(value(&endless[1..]), NEED_MORE);
        assert_eq!(value(&endless), ABSENT);
    }
}
