//! A probe from outside: does anybody answer?

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::http;
use crate::{HttpGet, Probing, Ready};

/// What is tried.
#[derive(Debug, Clone)]
pub(super) enum Probe {
    Connect(SocketAddr),
    Get(HttpGet),
}

impl Probe {
    /// The probe by which that is found out, if it is found out by one.
    pub(super) fn of(ready: &Ready) -> Option<Self> {
        match ready {
            Ready::TcpConnect(addr) => Some(Self::Connect(*addr)),
            Ready::HttpGet(get) => Some(Self::Get(get.clone())),
            Ready::Listening | Ready::Message | Ready::Notify | Ready::Alive => None,
        }
    }

    /// One try. Whatever goes wrong, it has failed: what matters is whether there is an answer in time.
    pub(super) async fn is_answered(&self, pace: Probing) -> bool {
        let tried = timeout(pace.within, async {
            match self {
                Self::Connect(addr) => TcpStream::connect(addr).await.is_ok(),
                Self::Get(wanted) => http::get(wanted).await.unwrap_or(false),
            }
        });
        tried.await.unwrap_or(false)
    }
}
