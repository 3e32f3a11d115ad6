//! The primary's side: one task that owns every socket and process, and handles that talk to it.
//!
//! What happens in the world becomes an event for the machines of `portcrew-core`, what they answer is
//! performed here, and nothing here decides.

mod accept_queue;
mod adopt;
mod busy;
mod cluster;
mod command;
mod conns;
mod counting;
mod crew;
mod crew_snapshot;
mod diagnosis;
mod drain;
mod driver;
mod events;
mod fork;
mod giving_way;
mod handle;
mod hang;
mod inherited;
mod launcher;
mod link;
mod looking;
mod meant;
mod node;
mod notices;
mod obey;
mod opened;
mod parting;
mod perform;
mod policy;
mod readiness;
mod ready;
mod reserve;
mod retry;
mod rights;
mod served;
mod shared;
mod shed;
mod signal;
mod snapshot;
mod sockets;
mod spread;
mod streak;
#[cfg(test)]
mod tests;
mod turn;
mod vitals;

pub use accept_queue::AcceptQueue;
pub use cluster::Cluster;
pub use crew_snapshot::CrewSnapshot;
pub use diagnosis::{Diagnosis, ProcessState};
pub use handle::{State, WorkerHandle};
pub use inherited::names_a_socket;
pub(crate) use launcher::plain_child;
pub use reserve::{Loan, Reserve};
pub use signal::Signal;
pub use snapshot::{Dialect, ListenerSnapshot, Snapshot, Window, WorkerSnapshot};
