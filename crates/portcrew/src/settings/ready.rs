//! When a worker of a crew counts as ready.

use std::net::SocketAddr;
use std::time::Duration;

/// What shows that a worker of a [crew](crate::Cluster::start) is ready: that it may take its predecessor's place, and
/// that the program starts.
///
/// What a worker shows by itself is its own; a probe sees whoever answers at its address. Where all workers share
/// one address the others answer too, so give a probe an address of the worker's own: a program knows its place by
/// `PORTCREW_SLOT` and `PORTCREW_GENERATION`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ready {
    /// It listens: its first listener is there.
    #[default]
    Listening,
    /// It sent the text `"ready"` on its channel, as `process.send('ready')` does: PM2's `wait_ready`. The message is
    /// told as [`Event::Message`](crate::Event::Message) all the same.
    Message,
    /// It sent `READY=1` to the socket in its `NOTIFY_SOCKET` (`sd_notify(3)`). `STATUS=` is told as
    /// [`Event::Status`](crate::Event::Status). Heard are processes of the worker's user and of root.
    Notify,
    /// A connection to this address is accepted.
    TcpConnect(SocketAddr),
    /// A request is answered as wanted.
    HttpGet(HttpGet),
    /// It has lived for [`Settings::stable_for`](crate::Settings::stable_for): for programs that never listen and say
    /// nothing.
    Alive,
}

/// One request of HTTP/1.1 over TCP, and the answer that is wanted. The body is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpGet {
    /// Where to connect to.
    pub addr: SocketAddr,
    /// The path with its query, beginning with `/`.
    pub path: String,
    /// The status that is wanted. `None`: any from 200 to 399.
    pub status: Option<u16>,
}

impl HttpGet {
    /// Any status from 200 to 399 will do.
    #[must_use]
    pub fn new(addr: SocketAddr, path: impl Into<String>) -> Self {
        Self { addr, path: path.into(), status: None }
    }

    /// This status alone will do.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

/// How often a worker is probed, and how long a probe may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probing {
    /// From the end of one probe to the next, while the worker is not ready. Default 200 ms.
    pub every: Duration,
    /// How long one probe may take. Beyond it it has failed. Default 2 s.
    pub within: Duration,
}

impl Default for Probing {
    fn default() -> Self {
        Self { every: Duration::from_millis(200), within: Duration::from_secs(2) }
    }
}

impl Ready {
    /// What is wrong with it, in words.
    pub(super) fn wrong(&self) -> Option<&'static str> {
        match self {
            Self::HttpGet(HttpGet { path, .. }) if !is_target(path) => Some(
                "the path of a request begins with `/` and has neither spaces nor control characters",
            ),
            Self::HttpGet(_)
            | Self::Listening
            | Self::Message
            | Self::Notify
            | Self::TcpConnect(_)
            | Self::Alive => None,
        }
    }
}

/// RFC 9112, section 3.2.1: the origin-form. What is no printable ASCII could end the line and begin another.
fn is_target(path: &str) -> bool {
    path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_could_begin_another_line_is_refused() {
        let at = |path: &str| Ready::HttpGet(HttpGet::new(([127, 0, 0, 1], 80).into(), path));
        assert_eq!(at("/health?deep=1").wrong(), None);
        for path in ["", "health", "/a b", "/a\r\nX: y"] {
            assert!(at(path).wrong().is_some(), "{path:?}");
        }
    }
}
