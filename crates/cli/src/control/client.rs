//! The other end: asks one crew and reads its answer.
//!
//! It speaks HTTP/1.0, whose answers end where the connection does, so that there is no framing to undo, and waits
//! without a runtime. What it reads comes from a process of the same user; it is limited in size all the same.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::v1;
use crate::output::words::control as words;

/// How long a crew may take for an answer that needs no waiting, and for each step towards any.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The longest answer, in bytes: a crew of 1,024 workers says less than half of it.
const MOST_ANSWER: u64 = 2 * 1024 * 1024;

/// The longest line of an event stream, in bytes.
const MOST_LINE: u64 = 2 * 1024 * 1024;

/// One crew's socket.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    socket: PathBuf,
}

/// Why there is no answer of the kind that was wanted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nobody is there.
    NoCrew,
    /// Somebody is, and has not answered in time. What it was told to do may still be done.
    Late,
    /// Somebody is, and does not answer, or not in a way that can be read.
    NoAnswer(io::Error),
    /// The answer is no: its status, and why.
    Refused(u16, v1::Problem),
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Short,
    /// The head is due at once; what follows comes when it happens.
    ShortHead,
    /// As long as it takes: a verdict comes when it is there.
    Endless,
}

impl Client {
    pub(crate) fn new(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Asks for what is known at once.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.ask("GET", path, &[], Patience::Short)?;
        decode(answer)
    }

    /// Asks for something to be done, and waits until it is.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).expect("requests have text keys");
        decode(self.ask("POST", path, &body, Patience::Endless)?)
    }

    /// The same, and gives up after some time.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) fn post_within<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).expect("requests have text keys");
        decode(self.ask("POST", path, &body, Patience::Short)?)
    }

    /// Reads the events from now on, as long as they come.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) fn events(&self) -> Result<Lines, Failure> {
        let answer = self.ask("GET", "/v1/events", &[], Patience::ShortHead)?;
        Ok(Lines(answer))
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        patience: Patience,
    ) -> Result<BufReader<UnixStream>, Failure> {
        let mut stream = UnixStream::connect(&self.socket).map_err(|_| Failure::NoCrew)?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: portcrew\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let asked = stream
            .set_write_timeout(Some(ANSWER_WITHIN))
            .and_then(|()| {
                let within = (patience != Patience::Endless).then_some(ANSWER_WITHIN);
                stream.set_read_timeout(within)
            })
            .and_then(|()| stream.write_all(&[head.as_bytes(), body].concat()));
        // A refusal may be written, and the connection closed, before the question is read.
        let mut answer = BufReader::new(stream);
        let status = match head_of(&mut answer) {
            Ok(status) => status,
            Err(error) => return Err(failure(asked.err().unwrap_or(error))),
        };
        if patience == Patience::ShortHead {
            answer.get_ref().set_read_timeout(None).map_err(Failure::NoAnswer)?;
        }
        if (200..300).contains(&status) { Ok(answer) } else { Err(refusal(status, answer)) }
    }
}

/// The lines of an event stream.
#[derive(Debug)]
pub(crate) struct Lines(BufReader<UnixStream>);

impl Iterator for Lines {
    type Item = String;

    /// The next event as it is, one JSON object; `None` when the crew has ended.
    fn next(&mut self) -> Option<String> {
        loop {
            let line = line(&mut self.0, MOST_LINE).ok()?;
            match line.strip_prefix("data: ") {
                Some(event) => return Some(event.to_owned()),
                None if line.is_empty() || line.starts_with(':') => {}
                None => return None,
            }
        }
    }
}

/// A time-out of the socket is `EAGAIN` (socket(7), `SO_RCVTIMEO`), which says nothing to a user.
fn failure(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::Late,
        _ => Failure::NoAnswer(error),
    }
}

fn refusal(status: u16, answer: impl Read) -> Failure {
    match decode(answer) {
        Ok(problem) => Failure::Refused(status, problem),
        Err(_) => Failure::Refused(status, words::refused_without_words(status)),
    }
}

/// Reads the status and skips the rest of the head.
fn head_of(answer: &mut impl BufRead) -> io::Result<u16> {
    const MOST_HEAD_LINES: usize = 64;
    let first = line(answer, 1024)?;
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)?.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(words::no_http()))?;
    for _ in 0..MOST_HEAD_LINES {
        if line(answer, 8 * 1024)?.is_empty() {
            return Ok(status);
        }
    }
    Err(io::Error::other(words::no_http()))
}

/// One line without its end.
fn line(from: &mut impl BufRead, most: u64) -> io::Result<String> {
    let mut text = String::new();
    from.take(most).read_line(&mut text)?;
    match text.strip_suffix('\n') {
        Some(line) => Ok(line.strip_suffix('\r').unwrap_or(line).to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

fn decode<T: DeserializeOwned>(answer: impl Read) -> Result<T, Failure> {
    let mut text = Vec::new();
    answer.take(MOST_ANSWER).read_to_end(&mut text).map_err(failure)?;
    serde_json::from_slice(&text).map_err(|error| Failure::NoAnswer(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_skipped_and_its_status_known() {
        let mut answer: &[u8] = b"HTTP/1.1 422 x\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(head_of(&mut answer).unwrap(), 422);
        assert_eq!(answer, b"{}");
    }

    #[test]
    fn what_is_no_http_and_what_ends_too_early_are_errors() {
        for text in ["", "SSH-2.0\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
            assert!(head_of(&mut text.as_bytes()).is_err(), "{text}");
        }
    }
}
