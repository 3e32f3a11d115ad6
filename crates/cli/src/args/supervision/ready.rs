//! `--ready`: what shows that a worker is ready, as written.

use std::net::SocketAddr;

use portcrew::{HttpGet, Ready};

use crate::output::words::supervision as words;

/// The port of a URL without one.
const HTTP_PORT: u16 = 80;

/// Reads a sign: a word, `tcp:ADDR:PORT` or `http://ADDR:PORT/PATH`.
///
/// # Errors
/// The reason in words, with the alternatives.
pub(super) fn parse(text: &str) -> Result<Ready, String> {
    match text {
        "listening" => return Ok(Ready::Listening),
        "message" => return Ok(Ready::Message),
        "notify" => return Ok(Ready::Notify),
        "alive" => return Ok(Ready::Alive),
        _ => {}
    }
    if let Some(address) = text.strip_prefix("tcp:") {
        return self::address(address.trim_start_matches('/')).map(Ready::TcpConnect);
    }
    match text.strip_prefix("http://") {
        Some(rest) => get(rest).map(Ready::HttpGet),
        None if text.starts_with("https:") => Err(words::no_tls()),
        None => Err(words::sign_unknown()),
    }
}

fn get(rest: &str) -> Result<HttpGet, String> {
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    // RFC 9112, section 3.2.1: the origin-form, in which no fragment is sent.
    let is_target = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if !path.starts_with('/') || !path.bytes().all(is_target) {
        return Err(words::path_refused());
    }
    let with_port = |text: &str| text.parse().or_else(|_| format!("{text}:{HTTP_PORT}").parse());
    let address = with_port(authority).map_err(|_| words::address_unreadable())?;
    Ok(HttpGet::new(somewhere(address)?, path))
}

fn address(text: &str) -> Result<SocketAddr, String> {
    somewhere(text.parse().map_err(|_| words::address_unreadable())?)
}

/// Nobody listens on port 0.
fn somewhere(address: SocketAddr) -> Result<SocketAddr, String> {
    if address.port() == 0 { Err(words::address_unreadable()) } else { Ok(address) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_understood() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        for (text, sign) in [
            ("listening", Ready::Listening),
            ("message", Ready::Message),
            ("notify", Ready::Notify),
            ("alive", Ready::Alive),
            ("tcp:127.0.0.1:9000", Ready::TcpConnect(at("127.0.0.1:9000"))),
            ("tcp://127.0.0.1:9000", Ready::TcpConnect(at("127.0.0.1:9000"))),
            ("tcp:[::1]:9000", Ready::TcpConnect(at("[::1]:9000"))),
            (
                "http://127.0.0.1:81/a?b=1",
                Ready::HttpGet(HttpGet::new(at("127.0.0.1:81"), "/a?b=1")),
            ),
            ("http://127.0.0.1", Ready::HttpGet(HttpGet::new(at("127.0.0.1:80"), "/"))),
            ("http://[::1]/x", Ready::HttpGet(HttpGet::new(at("[::1]:80"), "/x"))),
        ] {
            assert_eq!(parse(text), Ok(sign), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_there_is() {
        for (text, reason) in [
            ("", words::sign_unknown()),
            ("Message", words::sign_unknown()),
            ("127.0.0.1:80", words::sign_unknown()),
            ("https://127.0.0.1/", words::no_tls()),
            ("tcp:localhost:80", words::address_unreadable()),
            ("tcp:127.0.0.1", words::address_unreadable()),
            ("tcp:127.0.0.1:0", words::address_unreadable()),
            ("http://", words::address_unreadable()),
            ("http://localhost/", words::address_unreadable()),
            ("http://127.0.0.1:0/", words::address_unreadable()),
            ("http://127.0.0.1?x", words::path_refused()),
            ("http://127.0.0.1/a b", words::path_refused()),
            ("http://127.0.0.1/a\r\nX: y", words::path_refused()),
            ("http://127.0.0.1/a#b", words::path_refused()),
        ] {
            assert_eq!(parse(text), Err(reason), "{text}");
        }
    }
}
