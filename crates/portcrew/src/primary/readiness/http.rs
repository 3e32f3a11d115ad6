//! The smallest client that a probe needs: one request, and the status of its answer.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::HttpGet;

/// The longest status line, in bytes. Who sends more without an end speaks another protocol.
const STATUS_LINE: usize = 1024;

/// Whether the answer is as wanted. The caller bounds the time.
///
/// # Errors
///
/// Those of the connection; `InvalidData` when what comes is no answer of HTTP/1.
pub(super) async fn get(wanted: &HttpGet) -> io::Result<bool> {
    let stream = TcpStream::connect(wanted.addr).await?;
    write_all(&stream, request(wanted.addr, &wanted.path).as_bytes()).await?;
    let status = read_status(&stream).await?;
    Ok(wanted.status.map_or((200..400).contains(&status), |it| it == status))
}

/// RFC 9112, sections 3 and 9.6: nothing more is asked on this connection.
fn request(addr: SocketAddr, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUser-Agent: portcrew\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
}

async fn write_all(stream: &TcpStream, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read_status(stream: &TcpStream) -> io::Result<u16> {
    let (mut line, mut have) = ([0; STATUS_LINE], 0);
    loop {
        if let Some(end) = line[..have].iter().position(|byte| *byte == b'\n') {
            let status = status_of(&line[..end]);
            return status.ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        if have == line.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        stream.readable().await?;
        match stream.try_read(&mut line[have..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// RFC 9112, section 4: `HTTP/1.1 200 OK`; the words may be missing.
fn status_of(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/1.0 ").or_else(|| line.strip_prefix(b"HTTP/1.1 "))?;
    let (digits, after) = rest.split_at_checked(3)?;
    let ends = after.first().is_none_or(|byte| matches!(byte, b' ' | b'\r'));
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    (ends && all_digits).then(|| digits.iter().fold(0, |sum, it| sum * 10 + u16::from(it - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_three_digits_behind_the_version_and_nothing_else() {
        assert_eq!(status_of(b"HTTP/1.1 204 No Content\r"), Some(204));
        assert_eq!(status_of(b"HTTP/1.0 503\r"), Some(503));
        for wrong in ["HTTP/2 200 OK", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 +20 x", "SSH-2.0"]
        {
            assert_eq!(status_of(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
