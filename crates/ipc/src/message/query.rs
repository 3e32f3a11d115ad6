//! What a worker asks for when it wants to listen.

use super::json::RawJson;

/// The fields that `queryServer` and `listening` share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Counts the worker's own open queries of one address, port, type and fd.
    pub index: u32,
    /// Passed through to every worker of the same key; the ticket keys of TLS servers.
    pub data: Option<RawJson>,
    /// An IP address in text, a Unix path, or nothing for "any address".
    pub address: Option<String>,
    /// The port; -1 for a Unix path; nothing for a descriptor.
    pub port: Option<i32>,
    /// Which kind of socket.
    pub address_type: AddressType,
    /// The number of a descriptor *in the primary* to listen on; -1 in UDP queries means none.
    pub fd: Option<i32>,
    /// Bit 0: IPv6 only. Bit 2: reuse the address (UDP).
    pub flags: Option<u32>,
    /// The length of the accept queue; 0 or nothing means 511.
    pub backlog: Option<i32>,
    /// Whether everybody may read from the Unix path.
    pub readable_all: Option<bool>,
    /// Whether everybody may write to the Unix path.
    pub writable_all: Option<bool>,
}

/// Which kind of socket a query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AddressType {
    /// TCP over IPv4, or over both when no address is given. On the wire `4`.
    Tcp4,
    /// TCP over IPv6. On the wire `6`.
    Tcp6,
    /// A Unix path. On the wire `-1`.
    Pipe,
    /// UDP over IPv4. On the wire `"udp4"`.
    Udp4,
    /// UDP over IPv6. On the wire `"udp6"`.
    Udp6,
    /// Not said: the query names a descriptor. On the wire `null`.
    #[default]
    None,
}

impl AddressType {
    /// Whether it is one of the datagram kinds.
    #[must_use]
    pub const fn is_udp(self) -> bool {
        matches!(self, Self::Udp4 | Self::Udp6)
    }

    /// As Node writes it, in JSON.
    #[must_use]
    pub const fn as_json(self) -> &'static str {
        match self {
            Self::Tcp4 => "4",
            Self::Tcp6 => "6",
            Self::Pipe => "-1",
            Self::Udp4 => "\"udp4\"",
            Self::Udp6 => "\"udp6\"",
            Self::None => "null",
        }
    }
}
