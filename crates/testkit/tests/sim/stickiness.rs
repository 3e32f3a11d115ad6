//! The same client to the same worker: who moves when one is lost, and who comes back.

use std::net::SocketAddr;

use portcrew_core::primary::{Event, Origin, Rule};
use portcrew_core::scheduler::{Incoming, LookFor, Pick, Sticky, WorkerView};
use portcrew_core::{Limits, WorkerId};

use crate::crew::{Crew, Fault, honest};

const CLIENTS: u32 = 1_000;
const WORKERS: u32 = 8;
const LOST: WorkerId = WorkerId(3);
const SUCCESSOR: WorkerId = WorkerId(9);

/// Where each client's connection goes, which is taken at once.
fn homes(crew: &mut Crew, comes: fn(&mut Crew, u32)) -> Vec<WorkerId> {
    let home = |client| {
        comes(crew, client);
        let worker = crew.holder().expect("its worker is free");
        crew.answers(worker, true);
        worker
    };
    (0..CLIENTS).map(home).collect()
}

/// A client with an address of its own.
fn by_address(crew: &mut Crew, client: u32) {
    let ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + client);
    crew.accepts_from(Some(SocketAddr::from((ip, 1_000))));
}

/// A client behind a proxy, with a cookie of its own.
fn by_cookie(crew: &mut Crew, client: u32) {
    let conn = crew.accepts_from(Some(SocketAddr::from(([127, 0, 0, 1], 9))));
    crew.on(Event::Looked { conn, source: None, key: Some(u64::from(client)), route: None });
    if crew.holder().is_none() {
        crew.waits();
    }
}

/// One of eight workers is lost, and its slot is filled again: whether only its clients move, who are about an
/// eighth, and whether they come back.
fn is_sticky(rule: Rule, fault: Fault, comes: fn(&mut Crew, u32)) -> bool {
    let mut crew = Crew::with(WORKERS, rule, Limits::default(), fault);
    let before = homes(&mut crew, comes);
    crew.dies(LOST);
    let without = homes(&mut crew, comes);
    crew.joins(SUCCESSOR, LOST.0 - 1);
    let after = homes(&mut crew, comes);
    let right = |((before, without), after): ((&WorkerId, &WorkerId), &WorkerId)| {
        if *before == LOST {
            (*without, *after) != (LOST, LOST) && *after == SUCCESSOR
        } else {
            (without, after) == (before, before)
        }
    };
    // Of 125 expected the deviation is about ten.
    let of_lost = before.iter().filter(|it| **it == LOST).count();
    (80..170).contains(&of_lost) && before.iter().zip(&without).zip(&after).all(right)
}

fn cookie() -> Rule {
    Rule::handover(Sticky::by_value(LookFor::Cookie("sid".into())))
}

#[test]
fn only_the_clients_of_a_lost_worker_move_and_they_come_back_to_its_successor() {
    assert!(is_sticky(Rule::handover(Sticky::default()), honest, by_address));
    assert!(is_sticky(cookie(), honest, by_cookie));
}

#[test]
fn a_policy_that_counts_the_workers_is_seen_to_move_the_clients_of_others() {
    let modulo = |incoming: &Incoming, workers: &[WorkerView]| {
        let ip = incoming.source.map_or(0, |it| match it.ip() {
            std::net::IpAddr::V4(ip) => ip.to_bits() as usize,
            std::net::IpAddr::V6(_) => 0,
        });
        Pick::Worker(workers[ip % workers.len()].worker)
    };
    assert!(!is_sticky(Rule::handover(modulo), honest, by_address));
}

#[test]
fn a_primary_that_forgets_seats_is_seen_to_give_the_successor_others() {
    fn forgets(event: Event) -> Vec<Event> {
        vec![match event {
            Event::Forked { worker, .. } => Event::Forked { worker, origin: Origin::alone(worker) },
            other => other,
        }]
    }
    assert!(!is_sticky(Rule::handover(Sticky::default()), forgets, by_address));
}

#[test]
fn a_primary_that_does_not_hear_what_was_seen_is_found_to_send_a_whole_proxy_to_one_worker() {
    fn deaf(event: Event) -> Vec<Event> {
        let heard = !matches!(event, Event::Looked { .. });
        heard.then_some(event).into_iter().collect()
    }
    assert!(!is_sticky(cookie(), deaf, by_cookie));
}
