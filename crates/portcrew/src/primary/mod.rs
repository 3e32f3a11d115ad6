//! The primary's side: one task that owns every socket and process, and handles that talk to it.
//!
//! What happens in the world becomes an event for the machines of `portcrew-core`, what they answer is
//! performed here, and nothing here decides.

mod cluster;
mod command;
mod conns;
mod crew;
mod driver;
mod events;
mod fork;
mod handle;
mod link;
mod notices;
mod obey;
mod perform;
mod ready;
mod retry;
mod snapshot;
mod sockets;
#[cfg(test)]
mod tests;
mod turn;

pub use cluster::Cluster;
pub(crate) use fork::Launcher;
pub use handle::{Signal, State, WorkerHandle};
pub use snapshot::{ListenerSnapshot, Snapshot, WorkerSnapshot};
