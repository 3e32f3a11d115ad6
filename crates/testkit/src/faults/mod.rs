//! Workers that die in the middle, and clients that know what became of them.
//!
//! * [`Point`]: where in its conversation a worker dies. `fixture-rogue` plays each.
//! * [`Client`]: one connection of one [`Kind`], written by hand, and its [`Fate`].
//! * [`BeforeTheAnswer`]: any number of workers that die with connections they have not answered for.

mod before_answer;
mod client;
mod point;

pub use before_answer::{BeforeTheAnswer, Fates, Outcome};
pub use client::{Client, Fate, Kind};
pub use point::{Point, UnknownPoint, Writes};
