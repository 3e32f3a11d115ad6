//! First bytes: waited for, seen, or not in time.

use std::net::SocketAddr;

use super::*;
use crate::scheduler::{Incoming, LookFor, Needs, Pick, Scheduler, Sticky, WorkerView};

fn by_cookie(limits: impl FnOnce(&mut Limits)) -> World {
    let sticky = Sticky::by_value(LookFor::Cookie("sid".into()));
    World::with(|settings| {
        settings.rules = Rules::new(Rule::handover(sticky));
        limits(&mut settings.limits);
    })
}

fn seen(conn: u64, key: Option<u64>) -> Event {
    Event::Looked { conn: ConnId(conn), source: None, key, route: None }
}

impl World {
    fn comes_from(&mut self, conn: u64, ip: [u8; 4]) -> Vec<Action> {
        let peer = Some(SocketAddr::from((ip, 9)));
        self.on(Event::Accepted { listener: L0, conn: ConnId(conn), peer, local: None }).to_vec()
    }
}

#[test]
fn nobody_is_chosen_before_the_first_bytes_are_there() {
    let mut world = by_cookie(|_| {}).crew(4, true);
    let actions = world.comes_from(1, [10, 0, 0, 1]);
    assert!(actions.iter().any(|it| matches!(it, Action::Look { conn: ConnId(1), .. })));
    assert_eq!(world.place(1), Some(Place::Held));
    assert_eq!(offered(world.on(seen(1, Some(7)))).len(), 1);
}

#[test]
fn one_value_goes_to_one_worker_wherever_it_comes_from() {
    let mut world = by_cookie(|_| {}).crew(4, true);
    let mut homes = Vec::new();
    for conn in 0..16 {
        world.comes_from(conn, [10, 0, 0, u8::try_from(conn).unwrap()]);
        homes.extend(offered(world.on(seen(conn, Some(99)))).into_iter().map(|it| it.1));
    }
    assert_eq!(homes.len(), 16);
    assert!(homes.iter().all(|it| *it == homes[0]), "{homes:?}");
}

#[test]
fn the_address_decides_where_the_bytes_do_not_come_in_time() {
    let mut world = by_cookie(|limits| limits.look_for = Duration::from_millis(100)).crew(4, true);
    world.comes_from(1, [10, 0, 0, 1]);
    assert_eq!(world.waits(99), []);
    assert_eq!(offered(&world.waits(1)).len(), 1);
    assert_eq!(world.primary.ledger().looked_in_vain, 1);
    // What is seen later changes nothing.
    let place = world.place(1);
    assert_eq!(world.on(seen(1, Some(7))), []);
    assert_eq!(world.place(1), place);
}

#[test]
fn each_has_its_own_time() {
    let mut world = by_cookie(|limits| limits.look_for = Duration::from_millis(100)).crew(2, true);
    world.comes_from(1, [10, 0, 0, 1]);
    world.waits(60);
    world.comes_from(2, [10, 0, 0, 2]);
    let who = |actions: &[Action]| offered(actions).into_iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(who(&world.waits(40)), [1]);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, true);
    assert_eq!(who(&world.waits(59)), []);
    assert_eq!(who(&world.waits(1)), [2]);
}

#[test]
fn slow_clients_cannot_fill_the_queue() {
    let mut world = by_cookie(|limits| limits.held = 2).crew(1, true);
    world.comes_from(1, [10, 0, 0, 1]);
    assert_eq!(world.place(1), Some(Place::Held));
    // The last place is taken: the oldest is not waited for any longer.
    assert_eq!(offered(&world.comes_from(2, [10, 0, 0, 2])), [(1, W1)]);
    assert!(world.view(L0).is_accepting);
}

#[test]
fn a_proxy_says_who_the_client_is() {
    let sticky = Sticky { proxy: true, ..Sticky::default() };
    let mut world = World::ruled(Rule::handover(sticky)).crew(4, true);
    let mut homes = Vec::new();
    for conn in 0..20 {
        world.comes_from(conn, [127, 0, 0, 1]);
        let source = Some(SocketAddr::from(([10, 0, 0, u8::try_from(conn).unwrap()], 1)));
        let looked = Event::Looked { conn: ConnId(conn), source, key: None, route: None };
        homes.extend(offered(world.on(looked)).into_iter().map(|it| it.1));
    }
    homes.sort_unstable();
    homes.dedup();
    assert!(homes.len() > 1, "all went to {homes:?}");
}

#[test]
fn a_policy_that_does_not_look_lets_go_what_another_waited_for() {
    let mut world = by_cookie(|_| {}).crew(1, true);
    world.comes_from(1, [10, 0, 0, 1]);
    assert_eq!(offered(&world.rules(None, Rule::default())), [(1, W1)]);
}

/// Connections of one client, all but the first held, by a policy that is asked about each with what was seen.
fn asked(seen_with: Rule, then: Rule) -> (Option<u64>, Option<SocketAddr>) {
    let mut world = World::ruled(seen_with).crew(1, true);
    world.comes_from(1, [10, 0, 0, 1]);
    let source = Some(SocketAddr::from(([192, 0, 2, 1], 1)));
    world.on(Event::Looked { conn: ConnId(1), source, key: Some(7), route: None });
    world.rules(None, then);
    let told = world.primary.conns.get(&ConnId(1)).expect("it waits").incoming(world.now);
    (told.key, told.source)
}

#[test]
fn what_a_policy_found_is_not_shown_to_one_that_looks_for_something_else() {
    let by = |name: &str| {
        let mut sticky = Sticky::by_value(LookFor::Cookie(name.into()));
        sticky.wait = Duration::from_secs(9);
        sticky
    };
    // Nobody is given anything: what was seen stays with the connection that waits.
    let waits = |sticky: Sticky| Rule::handover(Waiting(sticky));
    let peer = Some(SocketAddr::from(([10, 0, 0, 1], 9)));
    let source = Some(SocketAddr::from(([192, 0, 2, 1], 1)));
    assert_eq!(asked(waits(by("sid")), waits(by("sid"))), (Some(7), source));
    assert_eq!(asked(waits(by("sid")), waits(by("other"))), (None, peer));
    assert_eq!(asked(waits(by("sid")), waits(Sticky::default())), (None, peer));
}

/// Looks for what another policy looks for, and gives nothing to anybody.
struct Waiting(Sticky);

impl Scheduler for Waiting {
    fn pick(&mut self, _: &Incoming, _: &[WorkerView]) -> Pick {
        Pick::Wait
    }

    fn needs(&self) -> Needs {
        self.0.needs()
    }
}

#[test]
fn one_that_comes_back_makes_room_too() {
    let mut world = by_cookie(|limits| {
        limits.held = 2;
        limits.lane_window = 1;
    });
    world = world.crew(1, true);
    world.comes_from(1, [10, 0, 0, 1]);
    world.on(seen(1, None));
    world.comes_from(2, [10, 0, 0, 2]);
    assert_eq!(world.primary.ledger().looked_in_vain, 0);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, false);
    assert_eq!(world.primary.ledger().looked_in_vain, 1);
}

#[test]
fn a_value_that_names_a_slot_goes_there() {
    use crate::primary::Origin;
    use crate::scheduler::Seat;
    use crate::supervise::{Generation, SlotId};
    let mut world = by_cookie(|_| {});
    for slot in 0..4 {
        let worker = WorkerId(u32::try_from(slot).unwrap() + 1);
        let seat = Seat::Slot(SlotId(slot));
        let origin = Origin { seat, generation: Generation::FIRST };
        world.on(Event::Forked { worker, origin });
        world.says(worker, FromWorker::Online { lane: true });
        let asked = world.asks(worker, tcp(80));
        if let [Action::Bind { .. }] = asked[..] {
            world.bound(L0);
        }
    }
    for (conn, slot) in [(0, 2), (1, 0), (2, 3)] {
        world.comes_from(conn, [10, 0, 0, 1]);
        let conn = ConnId(conn);
        let seen = Event::Looked { conn, source: None, key: Some(7), route: Some(slot) };
        assert_eq!(offered(world.on(seen)), [(conn.0, WorkerId(slot + 1))]);
    }
    // A slot that is not there: the value decides as any other.
    world.comes_from(9, [10, 0, 0, 1]);
    let seen = Event::Looked { conn: ConnId(9), source: None, key: Some(7), route: Some(99) };
    assert_eq!(offered(world.on(seen)).len(), 1);
}
