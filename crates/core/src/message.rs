//! What primary and worker say to each other, after decoding and before encoding.
//!
//! These are Node's cluster messages with their meaning, not their bytes: the shell translates between
//! this and the wire.

use std::fmt::Write as _;

use crate::Seq;

/// A listener's name: equal keys share one listener. Opaque to workers, Node's format for the reader of logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub String);

/// An error number as the kernel knows it, positive. On the wire Node sends it negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// The address is in use, or this worker holds the key already.
    pub const ADDRESS_IN_USE: Self = Self(98);
    /// There is no primary to ask, or it is being left (ENOTCONN).
    pub const NOT_CONNECTED: Self = Self(107);
    /// Permission denied.
    pub const ACCESS: Self = Self(13);
    /// It cannot be used for that.
    pub const INVALID: Self = Self(22);
    /// Too many listeners for one worker.
    pub const TOO_MANY: Self = Self(24);
    /// The data of a query is too long (EMSGSIZE).
    pub const TOO_LARGE: Self = Self(90);
    /// The listener was closed before it was bound (ECANCELED).
    pub const CANCELLED: Self = Self(125);
}

/// IPv4 or IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Where a worker wants to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP port. Without a host: `::` dual-stack, and `0.0.0.0` where there is no IPv6.
    Tcp {
        /// An address in text, resolved by the worker.
        host: Option<String>,
        /// 0 lets the kernel choose; all workers that ask the same get the same port.
        port: u16,
        /// The family that the worker asked for.
        family: Family,
        /// Leave the IPv4 port free.
        ipv6_only: bool,
    },
    /// A Unix-domain stream socket.
    Unix {
        /// The path in the file system.
        path: String,
        /// Let every user read.
        readable_all: bool,
        /// Let every user write.
        writable_all: bool,
    },
    /// A descriptor that the primary holds already.
    Fd {
        /// Its number in the primary.
        fd: i32,
    },
    /// A UDP socket; always shared.
    Udp {
        /// An address in text.
        host: Option<String>,
        /// 0 lets the kernel choose.
        port: u16,
        /// The family that the worker asked for.
        family: Family,
        /// The bits `UDP_…` of [`Address`], as libuv numbers them.
        flags: u32,
        /// A descriptor of the primary in place of an address.
        fd: Option<i32>,
    },
}

impl Address {
    /// A bit of a UDP query's flags: leave the IPv4 port free.
    pub const UDP_IPV6_ONLY: u32 = 1;
    /// A bit of a UDP query's flags: several sockets may have one port.
    pub const UDP_REUSE_ADDRESS: u32 = 4;
    /// A bit of a UDP query's flags: several sockets may have one port, and the kernel spreads
    /// the datagrams.
    pub const UDP_REUSE_PORT: u32 = 64;

    /// Whether it is a path. A descriptor may be a Unix-domain socket too: only who has it can tell.
    #[must_use]
    pub const fn is_unix(&self) -> bool {
        matches!(self, Self::Unix { .. })
    }

    /// Whether it is a socket without connections, which can only be shared.
    #[must_use]
    pub const fn is_udp(&self) -> bool {
        matches!(self, Self::Udp { .. })
    }
}

/// What a listening socket turned out to be, as the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SocketKind {
    /// TCP: the kernel can prove that a connection is untouched.
    Tcp,
    /// Any other stream, Unix-domain first of all: of its connections nothing can be proven.
    Stream,
    /// UDP, which has no connections.
    Datagram,
}

/// A worker's request for a listener: Node's `queryServer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where to listen.
    pub address: Address,
    /// Counts the worker's questions for this address while it holds one, so that two `listen(0)` differ.
    pub index: u32,
    /// The length of the kernel's queue; `None` is Node's default of 511.
    pub backlog: Option<u32>,
    /// Opaque JSON (TLS ticket keys); the first that comes for a key is given to all.
    pub data: Option<String>,
}

impl Query {
    /// The key by the rule of current Node: the index counts only where the kernel chooses the port. And for
    /// the second UDP socket with which a worker reuses an address: that one is not asked for twice.
    #[must_use]
    pub fn key(&self) -> Key {
        let mut key = self.name();
        if self.index_counts() {
            write!(key, ":{}", self.index).expect("writing to a String cannot fail");
        }
        Key(key)
    }

    /// Address, port, type and descriptor in one text: what Node's workers count their queries by.
    pub(crate) fn name(&self) -> String {
        let text = |host: &Option<String>| host.clone().unwrap_or_else(|| "null".into());
        match &self.address {
            Address::Tcp { host, port, family, .. } => {
                format!(
                    "{}:{port}:{}:undefined",
                    text(host),
                    if *family == Family::V4 { 4 } else { 6 }
                )
            }
            Address::Unix { path, .. } => format!("{path}:-1:-1:undefined"),
            Address::Fd { fd } => format!("null:null:null:{fd}"),
            Address::Udp { host, port, family, fd, .. } => {
                let family = if *family == Family::V4 { "udp4" } else { "udp6" };
                match fd {
                    Some(fd) => format!("null:null:{family}:{fd}"),
                    None => format!("{}:{port}:{family}:-1", text(host)),
                }
            }
        }
    }

    /// Whether questions for one address are for listeners of their own, told apart by their index.
    pub(crate) const fn index_counts(&self) -> bool {
        match self.address {
            Address::Tcp { port, .. } => port == 0,
            Address::Udp { port, flags, fd: None, .. } => {
                port == 0 || (self.index > 0 && flags & Address::UDP_REUSE_ADDRESS != 0)
            }
            Address::Udp { fd: Some(_), .. } | Address::Unix { .. } | Address::Fd { .. } => false,
        }
    }
}

/// The address that a socket got: Node's `sockname`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SockName {
    /// The address in text.
    pub address: String,
    /// Its family.
    pub family: Family,
    /// The port.
    pub port: u16,
}

/// The primary's answer to a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The primary accepts and hands connections over.
    Handover {
        /// What the socket is bound to; none for Unix-domain sockets. So it also tells the two apart.
        sockname: Option<SockName>,
    },
    /// The worker gets the socket itself and accepts from it.
    Shared,
    /// There is no listener, and this is why.
    Failed(Errno),
}

/// From a worker to the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromWorker {
    /// The worker's first word.
    Online {
        /// It speaks the lane.
        lane: bool,
    },
    /// It wants to listen.
    Query {
        /// To be sent back as `ack`.
        seq: Seq,
        /// What it wants.
        query: Query,
    },
    /// It listens; for the users' event, and for schedulers that want to know.
    Listening {
        /// What it asked for. A primary hears it with the port that it got: Node's wire has no room for both.
        query: Query,
        /// The port that it got, 0 where there is none.
        port: u16,
    },
    /// It gives a listener up.
    Close {
        /// Which.
        key: Key,
    },
    /// It leaves of its own will.
    ExitedAfterDisconnect {
        /// To be sent back as `ack`.
        seq: Seq,
    },
    /// It answers an offered connection.
    Answer {
        /// The offer's number.
        ack: Seq,
        /// Whether it took the connection.
        accepted: bool,
    },
}

/// From the primary to a worker. The number goes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToWorker {
    /// The answer to a query.
    Reply {
        /// The query's number.
        ack: Seq,
        /// The listener's key.
        key: Key,
        /// The listener's number, by which the lane names it.
        listener: crate::ListenerId,
        /// The first ticket data that came for this key.
        data: Option<String>,
        /// What became of it.
        reply: Reply,
    },
    /// Stop listening, finish what you have, close the channel.
    Disconnect,
    /// The worker's farewell was heard.
    FarewellHeard {
        /// Its number.
        ack: Seq,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(address: Address, index: u32) -> Query {
        Query { address, index, backlog: None, data: None }
    }

    fn tcp(host: Option<&str>, port: u16) -> Address {
        Address::Tcp { host: host.map(Into::into), port, family: Family::V4, ipv6_only: false }
    }

    fn udp(port: u16, flags: u32) -> Address {
        let host = Some("127.0.0.1".into());
        Address::Udp { host, port, family: Family::V4, flags, fd: None }
    }

    #[test]
    fn two_listeners_on_port_zero_differ_and_on_a_fixed_port_do_not() {
        assert_ne!(query(tcp(None, 0), 0).key(), query(tcp(None, 0), 1).key());
        assert_eq!(query(tcp(None, 80), 0).key(), query(tcp(None, 80), 1).key());
    }

    #[test]
    fn keys_are_written_as_node_writes_them() {
        assert_eq!(query(tcp(None, 18123), 0).key().0, "null:18123:4:undefined");
        assert_eq!(query(tcp(Some("127.0.0.1"), 0), 1).key().0, "127.0.0.1:0:4:undefined:1");
        let path = Address::Unix { path: "/s".into(), readable_all: false, writable_all: false };
        assert_eq!(query(path, 0).key().0, "/s:-1:-1:undefined");
        assert_eq!(query(udp(0, 0), 1).key().0, "127.0.0.1:0:udp4:-1:1");
    }

    #[test]
    fn only_a_reused_address_has_two_udp_sockets_of_one_worker() {
        let key = |flags, index| query(udp(53, flags), index).key();
        let reuse = Address::UDP_REUSE_ADDRESS;
        assert_eq!(key(0, 0), key(0, 1));
        assert_ne!(key(reuse, 0), key(reuse, 1));
        // The first is everybody's, whether they would reuse it or not.
        assert_eq!(key(reuse, 0), key(0, 0));
    }
}
