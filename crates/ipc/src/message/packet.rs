//! One line of the channel, as a value.

use super::{ClusterMessage, UserMessage};
use crate::handle::HandleKind;

/// One line of the channel, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Packet {
    /// A message between user programs.
    User(UserMessage),
    /// A message between the cluster's two halves.
    Cluster(ClusterMessage),
    /// A message that travels with a descriptor.
    Handle {
        /// What the descriptor is.
        kind: HandleKind,
        /// The message that it belongs to.
        inner: Inner,
    },
    /// "The descriptor of your oldest unanswered handle message arrived."
    HandleAck,
    /// "It did not arrive, and its message was dropped."
    HandleNack,
    /// "How many sockets of this server do you hold?" Asked about sockets sent by user code.
    SocketGetCount {
        /// The sender's name for the server.
        key: String,
    },
    /// The answer to [`SocketGetCount`](Self::SocketGetCount).
    SocketCount {
        /// The asker's name for the server.
        key: String,
        /// How many sockets of it are open here.
        count: u64,
    },
    /// "Tell me when you hold no socket of this server any more."
    SocketNotifyClose {
        /// The sender's name for the server.
        key: String,
    },
    /// The answer to [`SocketNotifyClose`](Self::SocketNotifyClose).
    SocketAllClosed {
        /// The asker's name for the server.
        key: String,
    },
    /// An internal message that this version does not know. Node ignores such, and so should the caller.
    Unknown {
        /// Its command, cut to a length that is safe to log.
        cmd: String,
    },
}

/// The message inside a handle message.
#[derive(Debug, Clone, PartialEq)]
pub enum Inner {
    /// A message between user programs.
    User(UserMessage),
    /// A message between the cluster's two halves.
    Cluster(ClusterMessage),
    /// An internal message that does not travel with a descriptor, or an unknown one.
    Unknown {
        /// Its command, cut to a length that is safe to log.
        cmd: String,
    },
}

impl Packet {
    /// Whether this line carries a descriptor.
    #[must_use]
    pub const fn carries_handle(&self) -> bool {
        matches!(self, Self::Handle { .. })
    }
}

impl From<UserMessage> for Packet {
    fn from(message: UserMessage) -> Self {
        Self::User(message)
    }
}

impl From<ClusterMessage> for Packet {
    fn from(message: ClusterMessage) -> Self {
        Self::Cluster(message)
    }
}

impl From<UserMessage> for Inner {
    fn from(message: UserMessage) -> Self {
        Self::User(message)
    }
}

impl From<ClusterMessage> for Inner {
    fn from(message: ClusterMessage) -> Self {
        Self::Cluster(message)
    }
}
