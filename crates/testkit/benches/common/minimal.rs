//! A hello server by hand, for what the hand-over costs when HTTP costs next to nothing. It understands this client.

use std::io;

use rustix::net::Shutdown;
use tokio::net::TcpStream;

use super::work;

/// A longer request is refused by closing.
const REQUEST_BYTES: usize = 1024;

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
        if !room[..got].ends_with(b"\r\n\r\n") {
            continue;
        }
        work::perform(path(&room[..got]));
        let close = room[..got].windows(17).any(|it| it.eq_ignore_ascii_case(b"connection: close"));
        got = 0;
        send(&stream, body, close)?;
        if close {
            return Ok(rustix::net::shutdown(&stream, Shutdown::Write)?);
        }
    }
}

/// Of a request line; nothing where it cannot be read.
fn path(request: &[u8]) -> &str {
    let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    std::str::from_utf8(path).unwrap_or_default()
}

/// A new socket has room for so little; where it has none the connection ends.
fn send(stream: &TcpStream, body: &str, close: bool) -> io::Result<()> {
    let connection = if close { "close" } else { "keep-alive" };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nConnection: {connection}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    match stream.try_write(answer.as_bytes())? {
        sent if sent == answer.len() => Ok(()),
        _ => Err(io::ErrorKind::WriteZero.into()),
    }
}
