//! The other end: asks one crew and reads its answer.
//!
//! It speaks HTTP/1.0, whose answers end where the connection does, so that there is no framing to undo, and waits
//! without a runtime. What it reads comes from a process of the same user; it is limited in size all the same.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::connect::connect_within;
use super::silence::{SILENT_AFTER, STILL_THERE, Vain, has_timed_out, until_it_answers};
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
    /// Somebody was, and has said nothing for so long. What it was told to do may still be done.
    Silent(Duration),
    /// Somebody is, and does not answer, or not in a way that can be read.
    NoAnswer(io::Error),
    /// The answer is no: its status, and why.
    Refused(u16, v1::Problem),
}

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Short,
    /// The head is due at once; what follows comes when it happens, and word now and then that the crew is there.
    ShortHead,
    /// As long as it takes, while the crew is there: a verdict comes when it is there.
    Verdict,
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

    /// Asks for something to be done, and waits until it is, as long as the crew answers other questions.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).expect("requests have text keys");
        decode(self.ask("POST", path, &body, Patience::Verdict)?)
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
        Ok(Lines { answer, is_over: false })
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        patience: Patience,
    ) -> Result<BufReader<UnixStream>, Failure> {
        let connected = connect_within(&self.socket, ANSWER_WITHIN);
        let mut stream = connected.map_err(|error| match has_timed_out(&error) {
            true => Failure::Late,
            false => Failure::NoCrew,
        })?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: portcrew\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let asked = stream
            .set_write_timeout(Some(ANSWER_WITHIN))
            .and_then(|()| stream.set_read_timeout(Some(ANSWER_WITHIN)))
            .and_then(|()| stream.write_all(&[head.as_bytes(), body].concat()));
        // A refusal may be written, and the connection closed, before the question is read.
        let mut answer = BufReader::new(stream);
        if patience == Patience::Verdict {
            self.wait_for_the_first_of(&mut answer)?;
        }
        let status = match head_of(&mut answer) {
            Ok(status) => status,
            Err(error) => return Err(failure(asked.err().unwrap_or(error))),
        };
        if patience == Patience::ShortHead {
            answer.get_ref().set_read_timeout(Some(SILENT_AFTER)).map_err(Failure::NoAnswer)?;
        }
        if (200..300).contains(&status) { Ok(answer) } else { Err(refusal(status, answer)) }
    }

    fn wait_for_the_first_of(&self, answer: &mut BufReader<UnixStream>) -> Result<(), Failure> {
        let set_time = |answer: &BufReader<UnixStream>, within| {
            answer.get_ref().set_read_timeout(Some(within)).map_err(Failure::NoAnswer)
        };
        set_time(answer, STILL_THERE)?;
        // Any answer will do. That there is nobody left to ask means that the verdict comes now, or the end of it.
        let is_there = || !matches!(self.get::<v1::Why>("/v1/why"), Err(Failure::Late));
        let read = || answer.fill_buf().map(drop);
        match until_it_answers(read, is_there, Instant::now) {
            Ok(()) => set_time(answer, ANSWER_WITHIN),
            Err(Vain::Silent(span)) => Err(Failure::Silent(span)),
            Err(Vain::Failed(error)) => Err(failure(error)),
        }
    }
}

/// The lines of an event stream.
#[derive(Debug)]
pub(crate) struct Lines {
    answer: BufReader<UnixStream>,
    is_over: bool,
}

impl Iterator for Lines {
    type Item = Result<String, Failure>;

    /// The next event as it is, one JSON object; `None` when the crew has ended. A crew that does not even say that it
    /// is still there is the last thing that comes.
    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            let line = match line(&mut self.answer, MOST_LINE) {
                Ok(line) => line,
                Err(error) if has_timed_out(&error) => {
                    self.is_over = true;
                    return Some(Err(Failure::Silent(SILENT_AFTER)));
                }
                Err(_) => break,
            };
            match line.strip_prefix("data: ") {
                Some(event) => return Some(Ok(event.to_owned())),
                None if line.is_empty() || line.starts_with(':') => {}
                None => break,
            }
        }
        self.is_over = true;
        None
    }
}

/// A time-out of the socket says nothing to a user.
fn failure(error: io::Error) -> Failure {
    if has_timed_out(&error) { Failure::Late } else { Failure::NoAnswer(error) }
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
    fn a_stream_without_even_a_comment_ends_with_a_failure_and_one_that_is_closed_without() {
        use std::io::Write as _;
        let lines = |close: bool| {
            let (ours, mut theirs) = UnixStream::pair().unwrap();
            theirs.write_all(b":\n\ndata: {}\n\n").unwrap();
            // Shorter than in earnest; nothing more comes, so the time does not matter.
            ours.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            let kept = (!close).then_some(theirs);
            let lines = Lines { answer: BufReader::new(ours), is_over: false };
            let all: Vec<_> = lines.collect();
            drop(kept);
            all
        };
        let all = lines(false);
        let [Ok(event), Err(Failure::Silent(SILENT_AFTER))] = &all[..] else { panic!("{all:?}") };
        assert_eq!(event, "{}");
        assert!(matches!(&lines(true)[..], [Ok(_)]));
    }

    #[test]
    fn what_is_no_http_and_what_ends_too_early_are_errors() {
        for text in ["", "SSH-2.0\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n"] {
            assert!(head_of(&mut text.as_bytes()).is_err(), "{text}");
        }
    }
}
