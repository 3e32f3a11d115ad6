//! The policies that come with portcrew.

mod least_connections;
mod rendezvous;
mod round_robin;
mod sticky;

pub use least_connections::LeastConnections;
pub use round_robin::{RoundRobin, round_robin_among};
pub use sticky::{Sticky, StickyBy};
