//! What the two halves of the cluster say to each other.

use std::borrow::Borrow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::json::RawJson;
use super::query::Query;

/// A cluster message: what it says, its number, and the number it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterMessage {
    /// The sender's running number, from 0. Bun leaves it out.
    pub seq: Option<u64>,
    /// The `seq` of the request that this answers. Zero is a number like any other.
    pub ack: Option<u64>,
    /// What it says.
    pub body: ClusterBody,
}

/// What a cluster message says.
#[derive(Debug, Clone, PartialEq)]
pub enum ClusterBody {
    /// Worker: I run.
    Online {
        /// The version of the lane that the worker speaks. Only between our own ends; Node ignores it.
        lane: Option<u32>,
        /// The version of the question on the lane whether it still turns, if it answers that. As above.
        beat: Option<u32>,
    },
    /// Worker: I want to listen there. Answered by a [`Reply`].
    QueryServer(Query),
    /// Worker: I listen there; `port` is the real one.
    Listening(Query),
    /// Worker: this listener is closed.
    Close {
        /// The listener.
        key: Key,
    },
    /// Worker: I am going to leave on purpose. Answered by an empty [`Reply`]. (Node up to 5 called it
    /// `suicide`; that name is understood.)
    ExitedAfterDisconnect,
    /// Primary: here is a connection, its descriptor comes with this message. Answered by
    /// [`Reply::accepted`].
    NewConn {
        /// The listener that it came in on.
        key: Key,
    },
    /// Primary: close your listeners, then the channel.
    Disconnect,
    /// An answer: it has an `ack` and no `act`.
    Reply(Reply),
    /// Anything else; ignored by Node.
    Other {
        /// Its `act`, empty if there was none, cut to a length that is safe to log.
        act: String,
    },
}

/// The answer to a request. Which fields it has depends on the request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// How the request went. Round robin says null, a shared socket 0; both are success.
    pub errno: ReplyErrno,
    /// The primary's name for the listener.
    pub key: Option<Key>,
    /// What the first worker gave with its query for this key, echoed to each worker.
    pub data: Option<RawJson>,
    /// Where the primary listens. Absent for Unix paths and shared sockets.
    pub sockname: Option<SockName>,
    /// Whether the worker took the connection.
    pub accepted: Option<bool>,
    /// The lane's number for the listener. Only between our own ends; Node ignores it.
    pub listener: Option<u32>,
    /// How many workers the crew has. Only between our own ends; Node ignores it.
    pub crew: Option<u32>,
}

/// The three things that stand for success, and failure. They differ on the wire: a Node worker checks
/// whether it got the port it asked for only when the number is there and is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyErrno {
    /// No field.
    #[default]
    Absent,
    /// `null`: success by round robin.
    Null,
    /// A number: 0 for a shared socket, else a negative error of the system, `-98` for "address in use".
    Code(i32),
}

/// The primary's name for a listener. Opaque: only equality means anything. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

/// The address of a listening socket, as Node writes it: the family follows from the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SockName {
    /// The address in text, possibly with a zone (`fe80::1%eth0`).
    pub address: String,
    /// The port.
    pub port: u16,
}

impl ClusterMessage {
    /// A message that asks or announces.
    #[must_use]
    pub const fn new(seq: u64, body: ClusterBody) -> Self {
        Self { seq: Some(seq), ack: None, body }
    }

    /// An answer to the message numbered `ack`.
    #[must_use]
    pub const fn reply(seq: u64, ack: u64, reply: Reply) -> Self {
        Self { seq: Some(seq), ack: Some(ack), body: ClusterBody::Reply(reply) }
    }
}

impl Reply {
    /// The worker's answer to a connection.
    #[must_use]
    pub fn accepted(accepted: bool) -> Self {
        Self { accepted: Some(accepted), ..Self::default() }
    }

    /// The primary's answer to a query.
    #[must_use]
    pub fn server(
        errno: ReplyErrno,
        key: Key,
        data: Option<RawJson>,
        sockname: Option<SockName>,
    ) -> Self {
        Self { errno, key: Some(key), data, sockname, ..Self::default() }
    }
}

impl ReplyErrno {
    /// The system's error as a positive number, or `None` for any kind of success.
    #[must_use]
    pub const fn error(self) -> Option<i32> {
        match self {
            Self::Absent | Self::Null | Self::Code(0) => None,
            Self::Code(code) => Some(code.saturating_abs()),
        }
    }

    /// The error number `os_error` (positive, as in `io::Error`) as Node writes it.
    #[must_use]
    pub const fn from_os_error(os_error: i32) -> Self {
        Self::Code(-os_error.saturating_abs())
    }
}

impl Key {
    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Self(key.into())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Self(key.into())
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SockName {
    /// The address as a value, or `None` when it has a zone or is no IP address.
    #[must_use]
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let address: IpAddr = self.address.parse().ok()?;
        Some(SocketAddr::new(address, self.port))
    }

    pub(super) fn family(&self) -> &'static str {
        if self.address.contains(':') { "IPv6" } else { "IPv4" }
    }
}

impl From<SocketAddr> for SockName {
    fn from(address: SocketAddr) -> Self {
        Self { address: address.ip().to_string(), port: address.port() }
    }
}
