//! What a message says its descriptor is.

/// What a handle message says its descriptor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandleKind {
    /// `net.Native`: a TCP or Unix stream socket: connected, listening, or bound only. All of the cluster's own
    /// messages use this.
    NetNative,
    /// `net.Server`: a listening socket. The sender keeps it too.
    NetServer,
    /// `net.Socket`: a connected socket. The sender gives it away.
    NetSocket {
        /// The sender's name for the server that it came from, when the sender counts its connections.
        key: Option<String>,
    },
    /// `dgram.Native`: a UDP socket.
    DgramNative,
    /// `dgram.Socket`: a UDP socket.
    DgramSocket {
        /// Its family.
        dgram_type: DgramType,
    },
    /// A type that Node does not have. Answered with a NACK.
    Unknown {
        /// What the peer called it, cut to a length that is safe to log.
        name: String,
    },
}

/// The family of a UDP socket in Node's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DgramType {
    /// IPv4.
    Udp4,
    /// IPv6.
    Udp6,
}

impl HandleKind {
    /// The name of the type in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::NetNative => "net.Native",
            Self::NetServer => "net.Server",
            Self::NetSocket { .. } => "net.Socket",
            Self::DgramNative => "dgram.Native",
            Self::DgramSocket { .. } => "dgram.Socket",
            Self::Unknown { name } => name,
        }
    }

    pub(super) const fn name_in_words(&self) -> &'static str {
        match self {
            Self::NetNative => "a TCP or Unix stream socket",
            Self::NetServer => "a listening socket",
            Self::NetSocket { .. } => "a connected socket",
            Self::DgramNative | Self::DgramSocket { .. } => "a UDP socket",
            Self::Unknown { .. } => "a type of descriptor that Node has",
        }
    }
}

impl DgramType {
    /// The name in messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp4 => "udp4",
            Self::Udp6 => "udp6",
        }
    }
}
