//! Why a load did not run or had to stop: always the client's side, never the server's.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The load itself is at fault. What the server does wrong is counted in the [`Report`](super::Report) instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The target is not on this machine.
    NotLoopback(SocketAddr),
    /// Neither a number of requests nor a stop nor a time was given.
    Unbounded,
    /// A setting is outside its limits; the text says which and why.
    Setting(String),
    /// This machine has no descriptor, port or memory left for the client, or forbids it the connection.
    Client(io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback(address) => write!(f, "{address} is not a loopback address: refused"),
            Self::Unbounded => {
                f.write_str("a load needs a number of requests, a time limit or a stop")
            }
            Self::Setting(why) => f.write_str(why),
            Self::Client(error) => write!(f, "the client itself failed, not the server: {error}"),
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Client(error) => Some(error),
            Self::NotLoopback(_) | Self::Unbounded | Self::Setting(_) => None,
        }
    }
}
