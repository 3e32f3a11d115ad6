//! Takes so many steps of one kind, for `scripts/instructions`, which counts their instructions.
//!
//! `instructions` lists the kinds; `instructions KIND TIMES` takes the steps.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "its list is for a script")]
#![allow(clippy::disallowed_methods, reason = "the script says what is to be done by arguments")]

#[path = "common/crew.rs"]
mod crew;

use std::hint::black_box;

use crew::{Crew, Policy};

const KINDS: [(&str, Policy, u32); 5] = [
    ("step-round-robin-2", Policy::RoundRobin, 2),
    ("step-round-robin-32", Policy::RoundRobin, 32),
    ("step-round-robin-128", Policy::RoundRobin, 128),
    ("step-least-connections-32", Policy::LeastConnections, 32),
    ("step-sticky-32", Policy::Sticky, 32),
];

fn main() -> Result<(), String> {
    // Cargo says to a benchmark that it is one.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [kind, times] = words.as_slice() else {
        KINDS.iter().for_each(|(name, ..)| println!("{name}"));
        return Ok(());
    };
    let known = KINDS.iter().find(|(name, ..)| name == kind);
    let (_, policy, workers) = known.ok_or_else(|| format!("no kind {kind:?} here"))?;
    let times: u32 = times.parse().map_err(|error| format!("{times:?}: {error}"))?;
    let mut crew = Crew::new(*policy, *workers);
    for _ in 0..times {
        black_box(crew.step());
    }
    Ok(())
}
