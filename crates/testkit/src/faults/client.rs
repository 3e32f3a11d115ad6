//! One connection, written by hand, whose fate is known.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::net::sockopt;

use crate::process::eventually;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// What a client has done by the time at which a worker has its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has sent its request.
    Plain,
    /// It has sent nothing. Its request comes later.
    Silent,
    /// It has sent its request and ended its direction.
    HalfClosed,
    /// It has sent nothing and ended its direction: there is nothing to be answered.
    Empty,
    /// It has sent its request, and resets the connection while a worker has it.
    Reset,
}

/// What became of a connection, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A whole answer, by this worker.
    Answered(u32),
    /// The beginning of an answer, and then the end.
    Part,
    /// Closed or reset without a byte. Which of both is a race within the kernel when a client writes to a connection
    /// that is just being closed.
    Nothing,
    /// The client itself has gone.
    Gone,
    /// Neither an answer nor an end in the time that was given.
    Hung,
}

/// A connection to a primary.
#[derive(Debug)]
pub struct Client {
    kind: Kind,
    /// None once it was reset.
    stream: Option<TcpStream>,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Plain, Self::Silent, Self::HalfClosed, Self::Empty, Self::Reset];
}

impl Client {
    /// Connects, and does what such a client does first.
    ///
    /// # Errors
    /// The system's, of `connect` and of the first words.
    pub fn connect(kind: Kind, to: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(to)?;
        if matches!(kind, Kind::Plain | Kind::HalfClosed | Kind::Reset) {
            stream.write_all(REQUEST)?;
        }
        if matches!(kind, Kind::HalfClosed | Kind::Empty) {
            stream.shutdown(Shutdown::Write)?;
        }
        Ok(Self { kind, stream: Some(stream) })
    }

    /// Where a [`Reset`](Kind::Reset) resets; the others do nothing. Returns when the server's end knows of it.
    ///
    /// # Panics
    /// When that takes longer than `within`.
    pub fn reset_if_it_does(&mut self, within: Duration) {
        if self.kind != Kind::Reset {
            return;
        }
        let Some(stream) = self.stream.take() else {
            return;
        };
        let ends = stream.peer_addr().and_then(|server| Ok((server, stream.local_addr()?)));
        // Unlike a close this sends nothing but the reset.
        let lingers = sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
        drop(stream);
        if let (Ok((server, client)), Ok(())) = (ends, lingers) {
            let is_reset = || (!is_connected(server, client)).then_some(());
            eventually("the server's end is reset", within, is_reset);
        }
    }

    /// Says what it has not said yet, and reads to the end.
    #[must_use]
    pub fn fate(self, within: Duration) -> Fate {
        let Some(mut stream) = self.stream else {
            return Fate::Gone;
        };
        if self.kind == Kind::Silent {
            // Where the server's end is closed already, what it sent before is read all the same.
            let _ = stream.write_all(REQUEST);
        }
        let mut answer = Vec::new();
        let read = stream
            .set_read_timeout(Some(within))
            .and_then(|()| stream.read_to_end(&mut answer).map(drop));
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Fate::Hung,
            // A reset is an end too: what came before it counts.
            Ok(()) | Err(_) => judge(&answer),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Plain => "plain",
            Self::Silent => "silent",
            Self::HalfClosed => "half-closed",
            Self::Empty => "empty",
            Self::Reset => "reset",
        })
    }
}

fn judge(answer: &[u8]) -> Fate {
    if answer.is_empty() {
        return Fate::Nothing;
    }
    let text = String::from_utf8_lossy(answer);
    let whole = || {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let field =
            |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
        let length: usize = field("Content-Length: ")?;
        let worker = field("X-Worker: ")?;
        (body.len() == length).then_some(Fate::Answered(u32::try_from(worker).ok()?))
    };
    whole().unwrap_or(Fate::Part)
}

/// Whether the kernel knows the server's end of that connection. One that was reset stands in no table.
fn is_connected(server: SocketAddr, client: SocketAddr) -> bool {
    let (SocketAddr::V4(server), SocketAddr::V4(client)) = (server, client) else {
        return false;
    };
    let text = |it: SocketAddrV4| {
        format!("{:08X}:{:04X}", u32::from_ne_bytes(it.ip().octets()), it.port())
    };
    let ends = format!(" {} {} ", text(server), text(client));
    std::fs::read_to_string("/proc/net/tcp").is_ok_and(|table| table.contains(&ends))
}

#[cfg(test)]
mod tests {
    use super::{Fate, judge};

    #[test]
    fn only_a_whole_answer_is_one() {
        let whole = b"HTTP/1.1 200 OK\r\nX-Worker: 7\r\nContent-Length: 2\r\n\r\nhi";
        assert_eq!(judge(whole), Fate::Answered(7));
        assert_eq!(judge(&whole[..whole.len() - 1]), Fate::Part);
        assert_eq!(judge(b"H"), Fate::Part);
        assert_eq!(judge(&[whole.as_slice(), b"H"].concat()), Fate::Part, "two half answers");
        assert_eq!(judge(b""), Fate::Nothing);
    }
}
