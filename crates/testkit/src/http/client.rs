//! One client: it makes its attempts one after another and finds the class of each.

use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::outcome::Outcome;
use super::plan::Reuse;
use super::response::{Parsed, Response};
use super::run::Run;
use super::stream::{Idle, Stream};

const BUFFER: usize = 16 << 10;

pub(super) struct Client {
    run: Rc<Run>,
    kept: Option<Kept>,
    buffer: Vec<u8>,
}

/// A connection with the number of answers that it has given.
struct Kept {
    stream: Stream,
    answers: u32,
}

/// Why there is no whole answer.
struct Failed {
    outcome: Outcome,
    why: String,
}

enum Ended {
    /// Whole; `fin` tells that the server has closed as well.
    Whole {
        response: Response,
        fin: bool,
    },
    Failed(Failed),
    /// The request never left: the kept connection had ended before its first byte.
    Stale,
    /// Not the server's doing.
    Fatal(io::Error),
}

impl Client {
    pub(super) fn new(run: Rc<Run>) -> Self {
        Self { run, kept: None, buffer: vec![0; BUFFER] }
    }

    pub(super) async fn work(mut self) {
        let mut first = true;
        while let Some(begun) = self.run.ticket(first).await {
            first = false;
            self.attempt(begun).await;
        }
    }

    async fn attempt(&mut self, begun: Instant) {
        if let Some(failed) = self.look_at_kept() {
            return self.run.failed(begun, failed.outcome, &failed.why);
        }
        let per_try = self.run.plan.per_try;
        let ended = match timeout(per_try, self.exchange()).await {
            Ok(ended) => ended,
            Err(_) => Ended::Failed(self.late(per_try)),
        };
        match ended {
            Ended::Whole { response, fin } => self.whole(begun, &response, fin).await,
            Ended::Failed(failed) => {
                self.kept = None;
                self.run.failed(begun, failed.outcome, &failed.why);
            }
            // A fresh connection is never stale, so `exchange` has settled this itself.
            Ended::Stale => self.kept = None,
            Ended::Fatal(error) => {
                self.kept = None;
                self.run.give_up(error);
            }
        }
    }

    /// Drops a kept connection that the server has closed meanwhile: a new one will be made, and nothing has failed.
    fn look_at_kept(&mut self) -> Option<Failed> {
        match self.kept.as_ref()?.stream.idle() {
            Idle::Quiet => None,
            Idle::Ended => {
                self.kept = None;
                self.run.note(|report| report.reconnects += 1);
                None
            }
            Idle::Unasked => {
                self.kept = None;
                Some(failed(
                    Outcome::BadResponse,
                    "bytes on a connection without a request".to_owned(),
                ))
            }
        }
    }

    /// The time of the try is over. A connection that came about is there still: `exchange` was dropped in its wait.
    fn late(&self, per_try: Duration) -> Failed {
        match self.kept {
            Some(_) => failed(Outcome::Timeout, format!("no whole answer within {per_try:?}")),
            None => failed(Outcome::NeverConnected, format!("no connection within {per_try:?}")),
        }
    }

    async fn exchange(&mut self) -> Ended {
        if self.kept.is_some() {
            match self.request_and_answer().await {
                Ended::Stale => {
                    self.kept = None;
                    self.run.note(|report| report.reconnects += 1);
                }
                ended => return ended,
            }
        }
        match Stream::connect(&self.run.plan.target).await {
            Ok(stream) => {
                self.run.note(|report| report.connections += 1);
                self.kept = Some(Kept { stream, answers: 0 });
                self.request_and_answer().await
            }
            Err(error) => connect_failed(error),
        }
    }

    async fn request_and_answer(&mut self) -> Ended {
        let Some(Kept { stream, answers }) = &self.kept else {
            return Ended::Stale;
        };
        let used = *answers > 0;
        let mut unsent = &self.run.request[..];
        while !unsent.is_empty() {
            match stream.write_some(unsent).await {
                Ok(written) => unsent = &unsent[written..],
                Err(_) if used && unsent.len() == self.run.request.len() => return Ended::Stale,
                // What the server managed to say before it closed is read below; the read finds the reset too.
                Err(_) => break,
            }
        }
        if self.run.plan.half_close {
            stream.end_of_requests();
        }
        let mut response = Response::default();
        loop {
            let read = match stream.read_some(&mut self.buffer).await {
                Ok(0) if response.whole_at_eof() => {
                    return Ended::Whole { response, fin: true };
                }
                Ok(0) => {
                    return Ended::Failed(cut_short(&response, used, Outcome::EofWithoutAnswer));
                }
                Ok(read) => read,
                Err(_) => return Ended::Failed(cut_short(&response, used, Outcome::Reset)),
            };
            match response.feed(&self.buffer[..read]) {
                Ok(Parsed::More) => {}
                Ok(Parsed::Whole { surplus: 0 }) => {
                    return Ended::Whole { response, fin: false };
                }
                Ok(Parsed::Whole { surplus }) => {
                    return bad(format!("{surplus} bytes behind the answer"));
                }
                Err(why) => return bad(why.to_owned()),
            }
        }
    }

    async fn whole(&mut self, begun: Instant, response: &Response, fin: bool) {
        let first = self.kept.as_ref().is_some_and(|kept| kept.answers == 0);
        if (200..300).contains(&response.status()) {
            self.run.answered(begun, response, first);
        } else {
            self.run.failed(begun, Outcome::BadResponse, &format!("status {}", response.status()));
        }
        let Some(mut kept) = self.kept.take() else {
            return;
        };
        kept.answers = kept.answers.saturating_add(1);
        match self.run.plan.reuse {
            Reuse::KeepAlive(most) if kept.answers >= most => {}
            // Closed at once from this side: a server may announce the close and leave it to its idle timer.
            Reuse::KeepAlive(_) if fin || response.closes() => {
                self.run.note(|report| report.announced += 1);
            }
            Reuse::KeepAlive(_) => self.kept = Some(kept),
            Reuse::Close => self.let_go(kept.stream, fin).await,
        }
    }

    /// Lets the server close first, as it was asked to; the attempt itself is booked already.
    async fn let_go(&mut self, stream: Stream, fin: bool) {
        let per_try = self.run.plan.per_try;
        if !fin && timeout(per_try, stream.read_some(&mut self.buffer)).await.is_err() {
            self.run.note(|report| report.not_closed += 1);
        } else if self.run.plan.reset_on_close {
            stream.reset();
        }
    }
}

fn connect_failed(error: io::Error) -> Ended {
    let outcome = match error.kind() {
        // A Unix socket whose path is gone refuses as one does that nobody listens on.
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => Outcome::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            Outcome::Reset
        }
        ErrorKind::TimedOut => Outcome::NeverConnected,
        _ => return Ended::Fatal(error),
    };
    Ended::Failed(failed(outcome, format!("connect: {error}")))
}

/// The connection ended before the answer was whole.
fn cut_short(response: &Response, used: bool, fresh: Outcome) -> Failed {
    match (response.begun(), used) {
        (true, _) => failed(Outcome::Partial, format!("{fresh} within the answer")),
        (false, true) => failed(Outcome::Raced, format!("{fresh} on a kept connection")),
        (false, false) => failed(fresh, "the connection ended before the answer".to_owned()),
    }
}

fn bad(why: String) -> Ended {
    Ended::Failed(failed(Outcome::BadResponse, why))
}

fn failed(outcome: Outcome, why: String) -> Failed {
    Failed { outcome, why }
}
