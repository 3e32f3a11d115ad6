//! Who goes where, who moves, and who waits.

use super::*;
use crate::supervise::{Generation, SlotId};
use crate::{ListenerId, WorkerId};

fn worker(id: u32, slot: usize) -> WorkerView {
    let mut view = WorkerView::new(WorkerId(id), 4);
    view.seat = Seat::Slot(SlotId(slot));
    view
}

fn crew() -> Vec<WorkerView> {
    (0..8).map(|slot| worker(1 + u32::try_from(slot).unwrap_or(0), slot)).collect()
}

fn client(number: u32) -> Incoming {
    let ip = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
    Incoming::new(ListenerId(0)).from(Some(SocketAddr::from((ip, 1_000))))
}

fn home(incoming: &Incoming, workers: &[WorkerView]) -> WorkerId {
    match Sticky::default().pick(incoming, workers) {
        Pick::Worker(worker) => worker,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_worker_that_is_lost_moves_only_its_own_clients_and_its_successor_gets_them_back() {
    let all = crew();
    let mut without = all.clone();
    without.retain(|view| view.worker != WorkerId(3));
    let mut with_successor = without.clone();
    with_successor.insert(0, worker(9, 2));
    let mut moved = 0;
    for number in 0..1_000 {
        let (before, lost) = (home(&client(number), &all), home(&client(number), &without));
        let back = home(&client(number), &with_successor);
        if before == WorkerId(3) {
            moved += 1;
            assert_eq!(back, WorkerId(9));
        } else {
            assert_eq!((before, before), (lost, back), "client {number}");
        }
    }
    assert!((80..180).contains(&moved), "{moved} of 1000 lived at one of eight");
}

#[test]
fn the_port_of_a_client_does_not_matter_nor_how_a_dual_stack_listener_shows_it() {
    let all = crew();
    let at = |text: &str| {
        let peer = text.parse().expect("an address");
        home(&Incoming::new(ListenerId(0)).from(Some(peer)), &all)
    };
    assert_eq!(at("10.1.2.3:1"), at("10.1.2.3:2"));
    assert_eq!(at("10.1.2.3:1"), at("[::ffff:10.1.2.3]:5"));
    assert_eq!(at("[2001:db8:1:2::1]:1"), at("[2001:db8:1:2:ffff::9]:1"));
}

#[test]
fn a_prefix_makes_one_client_of_many_addresses() {
    let all = crew();
    let mut wide = Sticky { ipv4_prefix: 24, ..Sticky::default() };
    let picks: Vec<_> = (0..256).map(|number| wide.pick(&client(number), &all)).collect();
    assert!(picks.iter().all(|pick| *pick == picks[0]));
    assert_ne!(wide.key(&client(0)), wide.key(&client(256)));
    let mut everybody = Sticky { ipv4_prefix: 0, ..Sticky::default() };
    assert_eq!(everybody.pick(&client(1), &all), everybody.pick(&client(70_000), &all));
}

#[test]
fn a_busy_worker_is_waited_for_up_to_the_bound_and_then_the_next_in_weight_is_taken() {
    let mut all = crew();
    let mut incoming = client(7);
    let at_home = home(&incoming, &all);
    let place = all.iter().position(|view| view.worker == at_home).expect("it is there");
    all[place].in_flight = 4;
    incoming.waited = Duration::from_millis(400);
    let left = Duration::from_millis(600);
    assert_eq!(Sticky::default().pick(&incoming, &all), Pick::WaitAtMost(left));
    incoming.waited = Duration::from_secs(1);
    let moved = home(&incoming, &all);
    all.remove(place);
    assert_eq!(moved, home(&client(7), &all));
}

#[test]
fn during_a_reload_the_newer_of_two_in_one_seat_is_home() {
    let mut all = crew();
    let mut newer = worker(9, 0);
    newer.generation = Generation(1);
    all.insert(0, newer);
    let homes: Vec<_> = (0..100).map(|number| home(&client(number), &all)).collect();
    assert!(homes.contains(&WorkerId(9)) && !homes.contains(&WorkerId(1)));
}

#[test]
fn a_value_wins_over_the_address_and_the_address_stands_in_for_it() {
    let all = crew();
    let with = |key, number| Incoming { key, ..client(number) };
    assert_eq!(home(&with(Some(5), 1), &all), home(&with(Some(5), 2), &all));
    assert_eq!(home(&with(None, 1), &all), home(&client(1), &all));
}

#[test]
fn who_has_no_address_is_dealt_in_turn() {
    let mut all = crew();
    all[0].share = 1;
    let nobody = Incoming::new(ListenerId(0));
    assert_eq!(Sticky::default().pick(&nobody, &all), Pick::Worker(WorkerId(2)));
}

#[test]
fn a_client_without_a_value_may_be_dealt_in_turn() {
    let mut all = crew();
    all[0].share = 1;
    let mut sticky = Sticky::by_value(LookFor::Query("sid".into()));
    let by_address = sticky.pick(&client(7), &all);
    sticky.in_turn = true;
    assert_eq!(sticky.pick(&client(7), &all), Pick::Worker(WorkerId(2)));
    let with_value = Incoming { key: Some(5), ..client(7) };
    assert_eq!(sticky.pick(&with_value, &all), sticky.pick(&with_value, &all));
    sticky.in_turn = false;
    assert_eq!(sticky.pick(&client(7), &all), by_address);
}
