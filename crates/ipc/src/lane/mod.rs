//! The lane: connections from a primary to a worker of the same make, many in one message.
//!
//! A lane is a Unix socket pair of type `SOCK_SEQPACKET`: each record arrives whole or not at all. Both ends
//! announce version 1 (the worker's `online` message says `"lane":1`); all numbers are little-endian.
//!
//! ```text
//! header     version: u8 = 1    kind: u8    count: u16, 1 to 64
//! kind 1     primary to worker  count × { seq: u64, listener: u32 }    with exactly count descriptors
//! kind 2     worker to primary  count × { seq: u64, verdict: u8 }      with none
//! kind 3     worker to primary  count × { seq: u64 }                   with none
//! kind 4     both ways          count × { number: u64 }                with none
//! verdict    0 accepted    1 refused    2 lost (its descriptor did not arrive)
//!            3 kept: accepted, and a record of kind 3 will say when it has ended
//! ```
//!
//! The descriptors of a record are in the order of its entries. `seq` names the connection in the answer and
//! is the primary's to choose. `listener` is the number that the primary gave in its reply to
//! `queryServer`. A record has at least one entry, so a read of zero bytes is always the end.
//!
//! **The end of a connection.** A worker may say of a connection that it will tell its end, with its answer, and tells it
//! once, behind that answer. For a primary that counts what its workers have open and whom no kernel tells.
//!
//! **The beat.** A worker whose `online` message says `"beat":1` sends a record of kind 4 back, from the task that takes
//! its connections: so it shows that its runtime turns. One that is not asked says nothing, and one that does not say
//! that it knows them is sent none.
//!
//! **The end of a worker.** When a process dies with records unread, the kernel reports a reset *before* the
//! answers which that process had sent. They count: the reading calls pass over the reset and end at zero
//! bytes.

mod primary;
// Open for the benchmarks of this crate, and nobody else's to rely on.
#[doc(hidden)]
pub mod record;
mod worker;

pub use primary::{LanePrimary, Sent};
pub use record::{
    Answer, BEAT_VERSION, Beat, ConnRecord, Ended, LANE_BATCH, LANE_VERSION, Verdict,
};
pub use worker::{LaneWorker, Offered};

/// What a poll of a lane brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneEvent {
    /// Something was appended to the caller's buffer. More may be there.
    Received,
    /// The other end is closed and all that it sent was returned.
    Closed,
}

/// What a lane that is not waited for had to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneDrained {
    /// Everything that is there now was appended. The other end is still open: held by the peer, or by a
    /// process that inherited it.
    Empty,
    /// Everything was read and nobody can send more.
    Closed,
}
