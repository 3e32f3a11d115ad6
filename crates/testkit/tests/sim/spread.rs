//! The policy `kernel`: nobody is lost, whoever is stuck, dies or goes, and nobody waits beside an idle worker.

use portcrew_testkit::sim::spread::{Fault, run};

const SEEDS: u64 = 300;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_client_is_served_in_every_order_of_things() {
    let seeds = match number("PORTCREW_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PORTCREW_SIM_SEEDS").map_or(SEEDS, |it| it / 100),
    };
    let (mut served, mut rescued, mut deaths, mut closed, mut proofs) = (0, 0, 0, 0, 0);
    for seed in seeds.clone() {
        let seen = run(seed, None).unwrap_or_else(|broken| panic!("{broken}"));
        served += seen.served;
        rescued += seen.rescued;
        deaths += seen.deaths;
        closed += seen.closed;
        proofs += seen.proofs;
    }
    println!(
        "{served} clients served, {rescued} by another worker; {deaths} deaths, {closed} sockets closed, {proofs} proofs"
    );
    if seeds.end - seeds.start >= SEEDS {
        assert!(rescued > 0 && deaths > 0 && closed > 0 && proofs > 0, "something was never met");
    }
}

#[test]
fn every_fault_that_is_planted_is_found() {
    for fault in Fault::ALL {
        let found = (0..300).find_map(|seed| run(seed, Some(fault)).err());
        assert!(found.is_some(), "{fault:?} is not noticed");
    }
}
