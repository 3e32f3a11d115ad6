//! The limits of a channel.

use crate::frame::FRAME_BYTES;

/// The limits of one channel. Each has a behaviour beyond it; none ends in unbounded memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Longest line in bytes, in both directions. A longer one from the peer ends the channel with
    /// [`ChannelError::FrameTooLong`](crate::error::ChannelError::FrameTooLong), one of the caller's is
    /// refused. Default 16 MiB.
    pub frame_bytes: usize,
    /// Most bytes that may wait for the peer to read or to acknowledge: more than a frame, so that behind the longest
    /// message there is room for a short one. Beyond it
    /// [`queue`](super::Channel::queue) refuses. Default 32 MiB.
    pub outbox_bytes: usize,
    /// Most messages that may wait likewise. Default 65,536. Messages that are queued as one
    /// ([`queue_lines`](super::Channel::queue_lines)) are taken where there is room for one: then there may be more, by as
    /// many as they are.
    pub outbox_messages: usize,
    /// How often a connection that user code gave away (`net.Socket`) is sent again when the peer says that its
    /// descriptor did not arrive. Then it is given up. Other handles are never sent again. Default 3, as in Node.
    pub handle_retries: u32,
    /// Most connections of a listener (the cluster's `newconn`) that are on their way to the peer and not answered
    /// by its ACK. Beyond it, the next one and all that is behind it wait for an answer. Every other handle message goes
    /// alone, whatever this says. Default 1: Node's own rule. Elsewhere than on Linux, where a read does not end
    /// behind a descriptor, it is always 1.
    pub handle_window: usize,
    /// Bytes read in one turn before other tasks get theirs. Default 256 KiB.
    pub read_budget_bytes: usize,
    /// Messages delivered in one turn before other tasks get theirs. Default 256.
    pub read_budget_messages: usize,
}

/// Default of [`ChannelSettings::outbox_bytes`].
pub(super) const OUTBOX_BYTES: usize = 32 * 1024 * 1024;
/// Default of [`ChannelSettings::outbox_messages`].
pub(super) const OUTBOX_MESSAGES: usize = 65_536;
/// Default of [`ChannelSettings::handle_retries`].
pub const HANDLE_RETRIES: u32 = 3;
/// Default of [`ChannelSettings::handle_window`].
const HANDLE_WINDOW: usize = 1;
/// Default of [`ChannelSettings::read_budget_bytes`].
const READ_BUDGET_BYTES: usize = 256 * 1024;
/// Default of [`ChannelSettings::read_budget_messages`].
const READ_BUDGET_MESSAGES: usize = 256;

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            frame_bytes: FRAME_BYTES,
            outbox_bytes: OUTBOX_BYTES,
            outbox_messages: OUTBOX_MESSAGES,
            handle_retries: HANDLE_RETRIES,
            handle_window: HANDLE_WINDOW,
            read_budget_bytes: READ_BUDGET_BYTES,
            read_budget_messages: READ_BUDGET_MESSAGES,
        }
    }
}
