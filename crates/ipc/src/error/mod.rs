//! Everything that can go wrong here, sorted by whose fault it is.
//!
//! Every error answers [`blame`](ChannelError::blame): a peer that misbehaves is cut off, a caller's mistake
//! is a bug to fix, and what the system refuses may work later.

mod channel;
mod handle;
mod lane;
mod message;
mod peer_gone;

pub use channel::{ChannelError, QueueError};
pub use handle::HandleError;
pub use lane::{LaneError, LaneOffence};
pub use message::{FrameError, MessageError};
pub(crate) use peer_gone::is_peer_gone;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The process at the other end broke the protocol.
    Peer,
    /// The code that called this crate asked for something impossible.
    Caller,
    /// The kernel refused, or the peer is gone; nobody did anything wrong.
    System,
}
