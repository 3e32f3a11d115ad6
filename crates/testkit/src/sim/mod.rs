//! The seeded simulator of `portcrew-core`: both sides composed, with faults.
//!
//! A seed draws a topology, small limits, bad workers and an interleaving, and runs some two hundred steps of
//! it. A step is as small as things get: one message on one link, one accepted batch, one small part of a
//! worker's hand-over. The primary is core's own machine; a worker is core's own machine too, or a model of
//! Node's, and its vices are laid around it. The kernel is a model that knows what really happened to each
//! connection, so that a proof is computed and never assumed.
//!
//! * [`plan`] says what a seed draws, [`worker`] what a process can do, [`kernel`] and [`link`] what is between.
//! * [`spec`] draws the rules, which change while a world runs, [`policy`] has their policies, [`client`] whom these
//!   choose for.
//! * [`account`] is the reference: it works out from the events alone what the primary must believe, and asks each
//!   policy a second time, with what it knows itself.
//! * Safety is checked after every step, liveness when faults have stopped.
//! * [`mutation`] plants faults in the machine's decisions, to see that the checks object.
//! * [`tape`] keeps the choices of a run, [`shrink`] makes them few, [`recording`] writes them down.
//! * [`exhaust`] leaves chance out: small bounds, and all that can happen within them.
//!
//! In one half of the worlds starting and stopping workers is drawn, as anything else. In the other half the crew's
//! machine decides it ([`crew`]), and hears of the primary's what the library's shell tells it.

pub mod account;
pub mod client;
pub mod clock;
pub mod crew;
pub mod exhaust;
mod fault;
pub mod kernel;
pub mod link;
mod liveness;
pub mod mutation;
pub mod plan;
pub mod policy;
pub mod recording;
pub mod report;
pub mod rng;
mod ruling;
mod run;
mod safety;
mod schedule;
pub mod shell;
pub mod shrink;
pub mod spec;
pub mod spread;
pub mod tape;
mod words;
pub mod worker;
pub mod world;

pub use mutation::Mutation;
pub use recording::{Recording, shortest};
pub use report::{Check, Coverage, Violation};
pub use rng::Rng;
pub use run::{Runs, explain, run};
