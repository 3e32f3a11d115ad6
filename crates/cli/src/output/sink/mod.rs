//! A bounded queue and a thread in front of one descriptor, so that a reader who has stopped reading cannot stop the
//! primary.
//!
//! A full queue means one of two things. The reader is slow: then [`Sink::room`] waits, the workers' pipes fill, and
//! nothing is lost. Or the reader is stuck, nothing moved for [`Limits::stuck_after`]: then lines are dropped and
//! counted, and one line says how many as soon as something moves again. So it is where the disk was full.

mod queue;
mod rotation;
#[cfg(test)]
pub(crate) mod testing;
mod write;

pub(crate) use queue::{Limits, Marks, Sink};
pub(crate) use rotation::Rotation;
