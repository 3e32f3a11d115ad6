//! The worker's side: one task that owns the channel and the lane, and handles that talk to it.
//!
//! What the primary says becomes an event for core's worker machine, what it answers is performed here, and
//! nothing here decides.

mod connection;
mod data;
mod driver;
mod handle;
mod handover;
mod inflow;
mod life;
mod listen;
mod listener;
mod open;
mod orphaned;
mod perform;
mod resolve;
mod revive;
mod settling;
mod shared;
mod thread;
mod told;
mod udp;

pub use connection::Connection;
pub use handle::Worker;
pub use life::Draining;
#[cfg(all(test, feature = "hyper1"))]
pub(crate) use life::{Life, LifeCell};
pub use listen::{Listen, ListenUnix};
pub use listener::{Listener, UnixListener};
pub use told::Open;
pub use udp::{BindUdp, UdpSocket};

pub(crate) use connection::Local;
pub(crate) use inflow::Inflow;
pub(crate) use listener::closed;
pub(crate) use open::{Keep, Opened, Source, accept_by_thread};
pub(crate) use told::Tells;

#[cfg(test)]
mod tests;
