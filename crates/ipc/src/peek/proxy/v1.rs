//! Version 1: one line of text.

use std::net::{IpAddr, SocketAddr};
use std::str::{FromStr, from_utf8};

use super::super::cursor::Cursor;
use super::super::sight::{Missing, Sight};

/// Most bytes of the line, its CRLF included (section 2.1). One that has not ended then is absent.
pub const PROXY_LINE_BYTES: usize = 107;

/// Passes the line and gives the client's address.
pub(super) fn source(cursor: &mut Cursor<'_>) -> Sight<Option<SocketAddr>> {
    cursor.expect(b"PROXY ")?;
    match cursor.first()? {
        b'U' => {
            cursor.expect(b"UNKNOWN")?;
            rest(cursor)?;
            Ok(None)
        }
        _ => {
            cursor.expect(b"TCP")?;
            addresses(cursor).map(Some)
        }
    }
}

/// Whatever a proxy says behind `UNKNOWN` is not looked at, not even for a CR or LF of its own.
fn rest(cursor: &mut Cursor<'_>) -> Sight<()> {
    if cursor.first()? == b'\r' {
        return cursor.expect(b"\r\n");
    }
    cursor.expect(b" ")?;
    loop {
        cursor.take_while(|byte| byte != b'\r')?;
        cursor.byte()?;
        if cursor.first()? == b'\n' {
            return cursor.skip(1);
        }
    }
}

fn addresses(cursor: &mut Cursor<'_>) -> Sight<SocketAddr> {
    let address = match cursor.byte()? {
        b'4' => ipv4,
        b'6' => ipv6,
        _ => return Err(Missing::Absent),
    };
    let source = address(cursor)?;
    let _destination = address(cursor)?;
    let source_port = port(cursor)?;
    let _destination_port = port(cursor)?;
    cursor.expect(b"\r\n")?;
    Ok(SocketAddr::new(source, source_port))
}

fn ipv4(cursor: &mut Cursor<'_>) -> Sight<IpAddr> {
    parsed(word(cursor, |byte| byte.is_ascii_digit() || byte == b'.')?).map(IpAddr::V4)
}

/// Without a dot: the specification knows hexadecimal digits and colons, and no IPv4 within.
fn ipv6(cursor: &mut Cursor<'_>) -> Sight<IpAddr> {
    parsed(word(cursor, |byte| byte.is_ascii_hexdigit() || byte == b':')?).map(IpAddr::V6)
}

/// Digits alone, and no zero before others (section 2.1).
fn port(cursor: &mut Cursor<'_>) -> Sight<u16> {
    let digits = word(cursor, |byte| byte.is_ascii_digit())?;
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(Missing::Absent);
    }
    parsed(digits)
}

fn word<'a>(cursor: &mut Cursor<'a>, belongs: fn(u8) -> bool) -> Sight<&'a str> {
    cursor.expect(b" ")?;
    from_utf8(cursor.take_while(belongs)?).map_err(|_| Missing::Absent)
}

/// As std reads addresses and numbers: four decimal numbers without a zero before others; at most eight groups of
/// at most four hexadecimal digits, and `::` for one group or more.
fn parsed<T: FromStr>(word: &str) -> Sight<T> {
    word.parse().map_err(|_| Missing::Absent)
}

#[cfg(test)]
mod tests {
    use super::super::{ProxyHeader, proxy_header};
    use super::*;

    fn source_of(line: &str) -> Sight<Option<SocketAddr>> {
        let all = format!("{line}GET / HTTP/1.1\r\n");
        proxy_header(all.as_bytes()).map(|ProxyHeader { source, bytes }| {
            assert_eq!(bytes, line.len(), "{line:?}");
            source
        })
    }

    #[test]
    fn the_source_is_the_first_address_and_the_first_port() {
        let cases = [
            ("TCP4 192.0.2.1 198.51.100.7 56324 443", "192.0.2.1:56324"),
            ("TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535"),
            ("TCP4 0.0.0.0 0.0.0.0 0 0", "0.0.0.0:0"),
            ("TCP6 2001:db8::1 2001:DB8::7 56324 443", "[2001:db8::1]:56324"),
            ("TCP6 :: ::1 1 2", "[::]:1"),
            ("TCP6 ::ffff:c000:0201 ::1 1 2", "[::ffff:192.0.2.1]:1"),
        ];
        for (words, source) in cases {
            let expected = Ok(Some(source.parse().unwrap()));
            assert_eq!(source_of(&format!("PROXY {words}\r\n")), expected, "{words}");
        }
    }

    #[test]
    fn the_longest_lines_of_the_specification_fit() {
        let full = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        let line = format!("PROXY TCP6 {full} {full} 65535 65535\r\n");
        assert_eq!(line.len(), 104);
        assert!(matches!(source_of(&line), Ok(Some(_))));
        let line = format!("PROXY UNKNOWN {full} {full} 65535 65535\r\n");
        assert_eq!(line.len(), PROXY_LINE_BYTES);
        assert_eq!(source_of(&line), Ok(None));
        let line = format!("PROXY UNKNOWN {full} {full} 65535 65535 \r\n");
        assert_eq!(source_of(&line), Err(Missing::Absent));
    }

    #[test]
    fn an_unknown_source_is_the_connections_own_peer() {
        for rest in ["", " ", " x y z", " a\rb\nc", " \r\r"] {
            assert_eq!(source_of(&format!("PROXY UNKNOWN{rest}\r\n")), Ok(None), "{rest:?}");
        }
        for wrong in ["X", "\t", "\rX", "\n"] {
            let line = format!("PROXY UNKNOWN{wrong}\r\n");
            assert_eq!(source_of(&line), Err(Missing::Absent), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_that_is_not_exactly_one_is_absent() {
        let wrong = [
            "TCP4  192.0.2.1 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2 \r\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2\n",
            "TCP4 192.0.2.1 192.0.2.2 1 2\r\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1\r\n",
            "TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
            "TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2 -1 2\r\n",
            "TCP4 192.0.2.1 192.0.2.2  2\r\n",
            "TCP4 192.0.2.01 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.256 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2 192.0.2.2 1 2\r\n",
            "TCP4 192.0.2.1 ::1 1 2\r\n",
            "TCP4 ::1 ::1 1 2\r\n",
            "TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            "TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n",
            "TCP6 1::2::3 ::1 1 2\r\n",
            "TCP6 12345::1 ::1 1 2\r\n",
            "TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
            "TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n",
            "TCP6 fe80::1%1 ::1 1 2\r\n",
            "TCP5 ::1 ::1 1 2\r\n",
            "UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "tcp4 192.0.2.1 192.0.2.2 1 2\r\n",
            " TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "\r\n",
        ];
        for words in wrong {
            assert_eq!(source_of(&format!("PROXY {words}")), Err(Missing::Absent), "{words:?}");
        }
        assert_eq!(source_of("PROXY\r\n"), Err(Missing::Absent));
        assert_eq!(source_of("POST"), Err(Missing::Absent));
    }

    #[test]
    fn nothing_is_told_before_the_line_has_ended() {
        for line in ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY UNKNOWN x\r\n"] {
            for length in 0..line.len() {
                let start = &line.as_bytes()[..length];
                assert_eq!(proxy_header(start), Err(Missing::NeedMore), "{length}");
            }
        }
    }

    #[test]
    fn a_line_without_an_end_is_absent_at_the_limit() {
        let endless = format!("PROXY UNKNOWN {}", "x".repeat(200));
        let endless = endless.as_bytes();
        assert_eq!(proxy_header(&endless[..PROXY_LINE_BYTES - 1]), Err(Missing::NeedMore));
        assert_eq!(proxy_header(&endless[..PROXY_LINE_BYTES]), Err(Missing::Absent));
    }
}
