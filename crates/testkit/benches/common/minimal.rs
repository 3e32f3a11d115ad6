//! A hello server by hand, for what the hand-over costs when HTTP costs next to nothing. It understands this client.

use std::io;

use rustix::net::Shutdown;
use tokio::net::TcpStream;

use super::work;

/// A longer request is refused by closing.
pub(super) const REQUEST_BYTES: usize = 1024;

/// A request that is whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    /// Nothing where it cannot be read.
    path: &'a str,
    /// The client asks to close.
    pub(super) close: bool,
}

/// Answers until the client asks to close, or closes.
pub(crate) async fn answer(stream: TcpStream, body: &str) -> io::Result<()> {
    let mut room = [0; REQUEST_BYTES];
    let mut got = 0;
    loop {
        stream.readable().await?;
        match stream.try_read(&mut room[got..]) {
            Ok(0) => return Ok(()),
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        let Some(request) = whole(&room[..got]) else { continue };
        work::perform(request.path);
        send(&stream, body, request.close)?;
        if request.close {
            return Ok(rustix::net::shutdown(&stream, Shutdown::Write)?);
        }
        got = 0;
    }
}

/// Answers one request with the moment at which it closes, and closes: no shutdown, so the client has the end when the
/// last holder of the socket has closed.
pub(crate) async fn answer_and_close(stream: TcpStream) -> io::Result<()> {
    let mut room = [0; REQUEST_BYTES];
    let mut got = 0;
    while whole(&room[..got]).is_none() {
        stream.readable().await?;
        match stream.try_read(&mut room[got..]) {
            Ok(0) => return Ok(()),
            Ok(count) => got += count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    send(&stream, &format!("{}\n", work::moment()), true)?;
    drop(stream);
    Ok(())
}

/// The request, once all of it is there.
pub(super) fn whole(request: &[u8]) -> Option<Request<'_>> {
    let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    request.ends_with(b"\r\n\r\n").then(|| Request {
        path: std::str::from_utf8(path).unwrap_or_default(),
        close: request.windows(17).any(|it| it.eq_ignore_ascii_case(b"connection: close")),
    })
}

/// The answer to it.
pub(super) fn response(body: &str, close: bool) -> String {
    let connection = if close { "close" } else { "keep-alive" };
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nConnection: {connection}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A new socket has room for so little; where it has none the connection ends.
fn send(stream: &TcpStream, body: &str, close: bool) -> io::Result<()> {
    let answer = response(body, close);
    match stream.try_write(answer.as_bytes())? {
        sent if sent == answer.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}
