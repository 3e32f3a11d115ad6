//! A world of its own for listeners of several sockets, over which the kernel spreads connections.
//!
//! The machine is core's primary; sockets, workers and clients are models. A seed draws which socket a connection comes
//! to, which workers are stuck, die, are replaced or sent home, and how slowly handshakes end. Checked after every step:
//! nobody is lost, nobody is taken twice, a socket is closed only when nothing can come to it any more, nothing is moved
//! where everybody has enough to do, and no client waits for long while a worker has had nothing to do. When all is
//! quiet the machine wants to be woken for nothing.

mod check;
mod kernel;
mod perform;
mod run;
mod steps;
mod world;

pub use run::run;
pub use world::{Fault, Seen, World};
