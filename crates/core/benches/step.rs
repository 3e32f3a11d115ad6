//! What it costs to decide who gets a connection: it is accepted, offered, answered and let go of.
//!
//! `cargo bench -p portcrew-core --bench step`

#![forbid(unsafe_code)]

#[path = "common/crew.rs"]
mod crew;

use crew::{Crew, Policy};
use divan::Bencher;

const WORKERS: [u32; 4] = [2, 8, 32, 128];

fn main() {
    divan::main();
}

#[divan::bench(args = WORKERS)]
fn round_robin(bencher: Bencher<'_, '_>, workers: u32) {
    step(bencher, Policy::RoundRobin, workers);
}

#[divan::bench(args = WORKERS)]
fn least_connections(bencher: Bencher<'_, '_>, workers: u32) {
    step(bencher, Policy::LeastConnections, workers);
}

#[divan::bench(args = WORKERS)]
fn sticky(bencher: Bencher<'_, '_>, workers: u32) {
    step(bencher, Policy::Sticky, workers);
}

fn step(bencher: Bencher<'_, '_>, policy: Policy, workers: u32) {
    let mut crew = Crew::new(policy, workers);
    bencher.bench_local(move || crew.step());
}
