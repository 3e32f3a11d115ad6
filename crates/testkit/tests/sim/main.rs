//! The simulator's runs, a test binary of its own: many seeds, planted faults, and what must
//! hold of each policy.
//!
//! `PORTCREW_SIM_SEEDS=1000000` runs more seeds, `PORTCREW_SIM_SEED=7` runs one and prints all of it.

#![forbid(unsafe_code)]
// A panic is how a test fails, and a run of one seed is read by people.
#![allow(clippy::panic, clippy::print_stdout)]

mod crew;
mod exhaust;
mod fairness;
mod least;
mod mutations;
mod refusing;
mod regressions;
mod seeds;
mod shrinking;
mod spread;
mod stickiness;
