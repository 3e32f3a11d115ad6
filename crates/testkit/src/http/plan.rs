//! A load whose settings have been checked.

use std::time::Duration;

use super::error::LoadError;
use super::share::WorkerKeys;
use super::target::Target;

/// At most so many clients at once; each holds one descriptor.
pub const MAX_CLIENTS: usize = 16_384;
/// At most so many requests in one run.
pub const MAX_REQUESTS: u64 = 1_000_000_000;
/// No run is longer than this.
pub const MAX_TIME_LIMIT: Duration = Duration::from_secs(3600);
/// At most so many arrivals per second in an open loop.
const MAX_RATE: f64 = 1e6;

/// What becomes of a connection after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    /// The request says `Connection: close`, and the client waits for the server to do so.
    Close,
    /// The connection is used for so many requests, and then the client closes it.
    KeepAlive(u32),
}

/// When requests are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pace {
    /// Each client makes its next request when it has the answer, after a pause.
    Closed { think: Duration },
    /// Requests arrive at random, so many per second, whatever the server does.
    Open { per_second: f64, seed: u64 },
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) target: Target,
    pub(super) clients: usize,
    pub(super) requests: Option<u64>,
    pub(super) time_limit: Option<Duration>,
    pub(super) stoppable: bool,
    pub(super) per_try: Duration,
    pub(super) reuse: Reuse,
    pub(super) pace: Pace,
    pub(super) reset_on_close: bool,
    pub(super) half_close: bool,
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) keys: WorkerKeys,
}

impl Plan {
    /// Refuses what is not loopback, not bounded or not possible.
    pub(super) fn check(&self) -> Result<(), LoadError> {
        self.target.check()?;
        let bounded = self.requests.is_some() || self.time_limit.is_some() || self.stoppable;
        if !bounded {
            return Err(LoadError::Unbounded);
        }
        let refuse = |why: String| Err(LoadError::Setting(why));
        if !(1..=MAX_CLIENTS).contains(&self.clients) {
            return refuse(format!("{} clients: there may be 1 to {MAX_CLIENTS}", self.clients));
        }
        if self.requests.is_some_and(|count| count > MAX_REQUESTS) {
            return refuse(format!("more than {MAX_REQUESTS} requests"));
        }
        if self.time_limit() > MAX_TIME_LIMIT || self.per_try > MAX_TIME_LIMIT {
            return refuse(format!("a time above {} s", MAX_TIME_LIMIT.as_secs()));
        }
        if self.per_try.is_zero() || self.reuse == Reuse::KeepAlive(0) {
            return refuse("a try without time, or a connection without requests".to_owned());
        }
        if self.half_close && self.reuse != Reuse::Close {
            return refuse("a connection that is half closed carries one request".to_owned());
        }
        match self.pace {
            Pace::Open { per_second, .. } if !(per_second > 0.0 && per_second <= MAX_RATE) => {
                refuse(format!("{per_second} arrivals per second: above 0, at most {MAX_RATE}"))
            }
            Pace::Open { .. } | Pace::Closed { .. } => self.check_text(),
        }
    }

    /// The end of the run, reached or not: the time limit, else a minute.
    pub(super) fn time_limit(&self) -> Duration {
        self.time_limit.unwrap_or(Duration::from_secs(60))
    }

    /// The bytes of a request.
    pub(super) fn request(&self) -> Vec<u8> {
        let mut text = format!("GET {} HTTP/1.1\r\nHost: {}\r\n", self.path, self.target.host());
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(match self.reuse {
            Reuse::Close => "Connection: close\r\n\r\n",
            Reuse::KeepAlive(_) => "\r\n",
        });
        text.into_bytes()
    }

    /// No text may end its line of the request and begin another one.
    fn check_text(&self) -> Result<(), LoadError> {
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        let path = self.path.starts_with('/') && plain(&self.path) && !self.path.contains(' ');
        let headers = self.headers.iter().all(|(name, value)| plain(name) && plain(value));
        match path && headers {
            true => Ok(()),
            false => {
                Err(LoadError::Setting("path or header is not plain printable text".to_owned()))
            }
        }
    }
}
