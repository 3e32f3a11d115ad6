//! Sockets that share one port by `SO_REUSEPORT`: which of them gets a new connection or a datagram.
//!
//! The kernel keeps such sockets in a group, each with an index, and hashes over all of them. A program that is
//! attached to the group chooses in its place, so that a member behind which nobody works gets nothing new. From pure
//! to real:
//!
//! - [`Order`]: which index a member has now.
//! - [`Steering`]: from the live indices to a [`Program`] that keeps flows where they are.
//! - [`attach`], [`detach`]: giving it to the kernel.
//! - [`FirstArrivals`]: at which listening members connections wait that nobody has looked at.
//!
//! How many wait at a member, [`accept_queue`](crate::probe::accept_queue) tells.
//!
//! # What the kernel does
//!
//! Verified on Linux by the tests of this crate:
//!
//! - A TCP socket joins the group when it listens, a UDP socket when it is bound; it gets the next index.
//! - When a member is closed (by its last holder) or, TCP alone, shut down, the last one moves into its place.
//! - An index that no member has lets the kernel hash over all.
//! - A connection belongs to the member that its first packet (SYN) came to; another program changes nothing for it.

mod attach;
mod first_arrivals;
mod order;
mod program;
mod steering;

pub use attach::{attach, detach};
pub use first_arrivals::FirstArrivals;
pub use order::Order;
pub use program::Program;
pub use steering::{STEERED_MEMBERS, Steering};
