//! Who the clients are: where they come from, and what stands in their first bytes.

use std::net::SocketAddr;

use portcrew_core::ConnId;
use portcrew_core::scheduler::Look;

/// The client of one connection, always the same for its number.
#[derive(Debug, Clone, Copy)]
pub struct Client(u64);

impl Client {
    /// Of this connection.
    #[must_use]
    pub const fn of(conn: ConnId) -> Self {
        Self(conn.0)
    }

    /// The other end of its connection: one of few hosts, or of few proxies.
    #[must_use]
    pub fn peer(self) -> SocketAddr {
        let host = u8::try_from(self.0 * 7 % 13).unwrap_or(0);
        let port = u16::try_from(self.0 % 60_000).unwrap_or(0);
        SocketAddr::from(([10, 0, 0, host], port))
    }

    /// What its first bytes say: who it is, and the value of its cookie. Some say neither.
    #[must_use]
    pub fn says(self, look: &Look) -> (Option<SocketAddr>, Option<u64>) {
        let behind = SocketAddr::from(([192, 0, 2, u8::try_from(self.0 % 5).unwrap_or(0)], 7));
        let source = (look.proxy && self.0 % 4 != 0).then_some(behind);
        let key = (look.value.is_some() && self.0 % 3 != 0).then_some(self.0 * 31 % 11);
        (source, key)
    }
}
