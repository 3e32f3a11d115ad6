//! The policies that come with portcrew.

mod round_robin;

pub use round_robin::RoundRobin;
