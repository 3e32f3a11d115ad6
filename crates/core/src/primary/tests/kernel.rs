//! The kernel spreads connections over sockets, one for each place.

use super::*;
use crate::scheduler::Seat;
use crate::supervise::{Generation, SlotId};
use crate::{Errno, MemberId};

const M0: MemberId = MemberId(0);
const M1: MemberId = MemberId(1);
const M2: MemberId = MemberId(2);
const W3: WorkerId = WorkerId(3);

impl World {
    fn spread() -> Self {
        Self::ruled(Rule::kernel())
    }

    /// A worker in this slot comes and asks; its socket is made if there is none.
    fn sits(&mut self, worker: WorkerId, slot: usize) -> Vec<Action> {
        let origin = Origin { seat: Seat::Slot(SlotId(slot)), generation: Generation::FIRST };
        self.on(Event::Forked { worker, origin });
        self.says(worker, FromWorker::Online { lane: true });
        let actions = self.asks(worker, tcp(80));
        match actions.as_slice() {
            [Action::Bind { listener, .. }] => self.bound(*listener),
            [Action::BindMember { listener, member }] => {
                let (listener, member) = (*listener, *member);
                self.on(Event::MemberBound { listener, member, outcome: Ok(()) }).to_vec()
            }
            _ => actions,
        }
    }

    fn listens(&mut self, worker: WorkerId) -> Vec<Action> {
        self.says(worker, FromWorker::Listening { query: tcp(80), port: 80 }).to_vec()
    }

    /// Workers 1 to `count` in slots from 0 on, all of them listening, and nothing waits.
    fn seated(mut self, count: u32) -> Self {
        for (worker, slot) in (1..=count).map(WorkerId).zip(0..) {
            self.sits(worker, slot);
            self.listens(worker);
        }
        self.sees(&[], true);
        // Nobody sees anything, so the next connection is waited for.
        while !self.waits(45).is_empty() {
            self.sees(&[], true);
        }
        self
    }

    fn sees(&mut self, queues: &[(MemberId, u32)], quiet: bool) -> Vec<Action> {
        let count = u32::try_from(self.view(L0).members.len()).unwrap();
        let all = (0..count).map(|id| {
            let id = MemberId(id);
            (id, queues.iter().find(|it| it.0 == id).map_or(0, |it| it.1))
        });
        let queues = all.collect();
        self.on(Event::Surveyed { listener: L0, queues, quiet }).to_vec()
    }

    fn stirs(&mut self) -> Vec<Action> {
        self.on(Event::Stirred { listener: L0 }).to_vec()
    }

    fn rescues(&mut self, conn: u64, member: MemberId, waited: u64) -> Vec<Action> {
        let (conn, waited) = (ConnId(conn), Duration::from_millis(waited));
        self.on(Event::Rescued { listener: L0, member, conn, peer: None, waited }).to_vec()
    }
}

const SURVEY: Action = Action::Survey { listener: L0 };
const WATCH: Action = Action::Watch { listener: L0 };

fn steered(actions: &[Action]) -> Vec<Vec<MemberId>> {
    let steered = actions.iter().filter_map(|it| match it {
        Action::Steer { live, .. } => Some(live.clone()),
        _ => None,
    });
    steered.collect()
}

fn rescue(member: MemberId, most: u32, older: u64) -> Action {
    Action::Rescue { listener: L0, member, most, older: Duration::from_millis(older) }
}

#[test]
fn each_place_has_a_socket_of_its_own_and_its_worker_gets_that() {
    let mut world = World::spread();
    assert_eq!(replies(&world.sits(W1, 0)), [(W1, Reply::Shared)]);
    assert_eq!(replies(&world.sits(W2, 1)), [(W2, Reply::Shared)]);
    let members = [W1, W2].map(|worker| world.primary.member_of(worker, L0));
    assert_eq!(members, [Some(M0), Some(M1)]);
    assert_eq!(world.view(L0).policy, "kernel");
}

#[test]
fn a_successor_gets_the_socket_of_its_place_and_nothing_is_closed() {
    let mut world = World::spread().seated(2);
    let died = world.dies(W1);
    assert!(!died.iter().any(|it| matches!(it, Action::CloseMember { .. })), "{died:?}");
    let came = world.sits(W3, 0);
    assert_eq!(replies(&came), [(W3, Reply::Shared)]);
    assert_eq!(world.primary.member_of(W3, L0), Some(M0));
}

#[test]
fn new_connections_go_to_those_alone_who_listen() {
    let mut world = World::spread();
    assert_eq!(steered(&world.sits(W1, 0)), [vec![]]);
    assert_eq!(steered(&world.listens(W1)), [[M0]]);
    assert_eq!(steered(&world.sits(W2, 1)), [[]; 0]);
    assert_eq!(steered(&world.listens(W2)), [[M0, M1]]);
    assert_eq!(steered(&world.dies(W1)), [[M1]]);
    world.sits(W3, 0);
    assert_eq!(steered(&world.listens(W3)), [[M0, M1]]);
}

#[test]
fn a_place_whose_old_worker_leaves_while_the_new_one_listens_stays_as_it_is() {
    let mut world = World::spread().seated(2);
    world.sits(W3, 0);
    assert_eq!(steered(&world.listens(W3)), [[]; 0]);
    assert_eq!(steered(world.on(Event::Unlist { worker: W1 })), [[]; 0]);
}

#[test]
fn while_nothing_comes_nothing_is_looked_at() {
    let mut world = World::spread().seated(2);
    assert_eq!(world.waits(100_000), []);
    assert_eq!(world.stirs(), []);
    // Looked at once what came may have waited long enough.
    assert_eq!(world.waits(19), []);
    assert_eq!(world.waits(1), [SURVEY]);
    let mut looks = 0;
    while world.sees(&[], true) != [WATCH] {
        assert_eq!(world.waits(45), [SURVEY]);
        looks += 1;
    }
    assert_eq!(looks, 22, "for a second");
    assert_eq!(world.waits(100_000), []);
}

#[test]
fn while_connections_come_the_queues_are_looked_at_from_time_to_time() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    for _ in 0..100 {
        assert_eq!(world.sees(&[], false), []);
        assert_eq!(world.waits(44), []);
        assert_eq!(world.waits(1), [SURVEY]);
    }
}

#[test]
fn what_waits_too_long_is_handed_to_a_worker_in_whose_own_queue_nothing_waits() {
    let mut world = World::spread().seated(3);
    world.stirs();
    world.waits(20);
    let queues = [(M0, 2), (M1, 1)];
    // The second has waited as long as the first: each may be what stirred.
    assert_eq!(world.sees(&queues, false), [rescue(M0, 2, 10), rescue(M1, 1, 10)]);
    world.rescues(1, M0, 20);
    world.rescues(2, M0, 20);
    world.rescues(3, M1, 20);
    assert_eq!([1, 2, 3].map(|conn| world.offer(conn).0), [W3; 3]);
    assert_eq!(world.primary.ledger().rescued, 3);
}

#[test]
fn what_is_first_seen_at_a_look_is_left_to_its_worker_for_its_time() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    world.sees(&[], false);
    world.waits(45);
    assert_eq!(world.sees(&[(M0, 1)], false), []);
    assert_eq!(world.waits(20), [SURVEY]);
    assert_eq!(world.sees(&[(M0, 1)], false), [rescue(M0, 1, 10)]);
}

#[test]
fn a_worker_that_let_connections_wait_is_not_waited_for_until_its_queue_was_empty_often_enough() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 1)], false);
    world.rescues(1, M0, 20);
    assert_eq!(world.waits(15), [SURVEY], "it is looked sooner than usual");
    assert_eq!(world.sees(&[(M0, 3)], false), [rescue(M0, 3, 0)]);
    for _ in 0..4 {
        world.sees(&[], false);
    }
    assert_eq!(world.sees(&[(M0, 3)], false), []);
}

#[test]
fn more_that_waits_follows_as_soon_as_what_was_rescued_is_answered_for() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 40)], false);
    let mut offers = Vec::new();
    for conn in 0..16 {
        world.rescues(conn, M0, 20);
        offers.push(world.offer(conn));
    }
    let (last, others) = offers.split_last().unwrap();
    for (worker, seq) in others {
        assert!(!world.answers(*worker, *seq, true).contains(&SURVEY));
    }
    assert!(world.answers(last.0, last.1, true).contains(&SURVEY));
    // Nothing more is known to wait: it is left to the next look.
    world.sees(&[(M0, 1)], false);
    world.rescues(99, M0, 20);
    let (worker, seq) = world.offer(99);
    assert!(!world.answers(worker, seq, true).contains(&SURVEY));
}

#[test]
fn where_somebody_was_late_what_is_first_seen_counts_from_the_look_before() {
    let mut world = World::spread().seated(3);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 1)], false);
    world.rescues(1, M0, 20);
    world.waits(15);
    world.sees(&[], false);
    assert_eq!(world.waits(15), [SURVEY]);
    assert_eq!(world.sees(&[(M1, 1)], false), []);
    assert_eq!(world.waits(4), []);
    assert_eq!(world.waits(1), [SURVEY]);
    assert_eq!(world.sees(&[(M1, 1)], false), [rescue(M1, 1, 10)]);
}

#[test]
fn a_worker_that_takes_something_itself_is_trusted_again_at_once() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 3)], false);
    world.rescues(1, M0, 20);
    // Two were left to it, and now there is one.
    world.sees(&[(M0, 1), (M1, 1)], false);
    world.sees(&[], false);
    assert_eq!(world.sees(&[(M0, 3)], false), []);
}

#[test]
fn a_worker_that_was_only_slow_is_waited_for_as_before() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 1)], false);
    world.rescues(1, M0, 9);
    world.waits(20);
    world.sees(&[], false);
    assert_eq!(world.sees(&[(M0, 3)], false), []);
}

#[test]
fn where_everybody_has_something_waiting_nothing_is_moved() {
    let mut world = World::spread().seated(2);
    world.stirs();
    for _ in 0..5 {
        world.waits(45);
        assert_eq!(world.sees(&[(M0, 9), (M1, 1)], false), []);
    }
}

#[test]
fn who_has_just_shown_that_it_lives_is_handed_what_waits_before_one_that_may_be_stuck_too() {
    let mut world = World::spread().seated(3);
    world.stirs();
    world.waits(20);
    // The third takes what came to it.
    world.sees(&[(M0, 1), (M2, 1)], false);
    world.waits(20);
    world.sees(&[(M0, 1)], false);
    for conn in 0..3 {
        world.rescues(conn, M0, 40);
        assert_eq!(world.offer(conn).0, W3, "connection {conn}");
    }
}

#[test]
fn no_more_is_taken_out_of_a_queue_than_others_can_be_offered() {
    let mut world = World::spread().seated(2);
    world.stirs();
    world.waits(20);
    let window = Limits::default().lane_window;
    let actions = world.sees(&[(M0, 1000)], false);
    assert!(matches!(actions[..], [Action::Rescue { most, .. }] if most <= window), "{actions:?}");
}

#[test]
fn what_waits_for_one_that_died_is_looked_for_at_once_and_goes_to_others_however_busy() {
    let mut world = World::spread().seated(2);
    assert!(world.dies(W1).contains(&SURVEY));
    assert_eq!(world.sees(&[(M0, 2), (M1, 5)], true), [rescue(M0, 2, 0)]);
    world.rescues(1, M0, 0);
    assert_eq!(world.offer(1).0, W2);
}

#[test]
fn a_rescued_connection_is_offered_again_when_its_new_worker_dies() {
    let mut world = World::spread().seated(3);
    world.stirs();
    world.waits(20);
    world.sees(&[(M0, 1), (M1, 1)], false);
    world.rescues(1, M0, 20);
    assert_eq!(world.offer(1).0, W3);
    world.dies(W3);
    world.proves(1, Proof::Untouched);
    assert_eq!(world.offer(1).0, W2);
}

#[test]
fn a_lone_worker_is_not_watched() {
    let mut world = World::spread();
    let mut actions = world.sits(W1, 0);
    actions.append(&mut world.listens(W1));
    assert!(!actions.contains(&SURVEY) && !actions.contains(&WATCH), "{actions:?}");
    // A late word about it changes nothing.
    assert_eq!(world.stirs(), []);
    assert_eq!(world.sees(&[(M0, 5)], false), []);
}

#[test]
fn a_socket_that_nobody_comes_back_to_is_closed_when_no_handshake_can_end_there_any_more() {
    let mut world = World::spread().seated(3);
    world.on(Event::Unlist { worker: W3 });
    world.sees(&[], true);
    let close = Action::CloseMember { listener: L0, member: M2 };
    assert!(!world.waits(74_999).contains(&close));
    assert!(world.waits(1).contains(&SURVEY));
    assert!(world.sees(&[(M2, 1)], true).iter().all(|it| *it != close), "something waits there");
    world.waits(75_000);
    assert!(world.sees(&[], true).contains(&close));
    assert_eq!(world.view(L0).members.len(), 2);
}

#[test]
fn where_nobody_can_be_handed_what_waits_it_is_closed_in_the_end_and_not_looked_at_for_ever() {
    let mut world = World::spread();
    world.on(Event::Open { query: tcp(80) });
    world.bound(L0);
    for (worker, slot) in [(W1, 0), (W2, 1)] {
        let seat = Seat::Slot(SlotId(slot));
        if let [Action::BindMember { listener, member }] = *world.on(Event::Seats { seat }) {
            world.on(Event::MemberBound { listener, member, outcome: Ok(()) });
        }
        let origin = Origin { seat, generation: Generation::FIRST };
        world.on(Event::Forked { worker, origin });
        world.on(Event::Inherits { worker });
        world.on(Event::Serves { worker });
    }
    world.on(Event::Unlist { worker: W2 });
    world.dies(W2);
    let mut looks = 0;
    for _ in 0..600 {
        if world.waits(1_000).contains(&SURVEY) {
            looks += 1;
            world.sees(&[(M1, 3)], false);
        }
    }
    assert_eq!(world.view(L0).members.len(), 1);
    assert!(looks <= 1, "{looks} looks");
}

#[test]
fn a_socket_in_which_something_waits_is_not_closed() {
    let mut world = World::spread().seated(2);
    world.on(Event::Unlist { worker: W2 });
    world.sees(&[(M1, 1)], true);
    let actions = world.waits(75_000);
    assert!(!actions.iter().any(|it| matches!(it, Action::CloseMember { .. })), "{actions:?}");
}

#[test]
fn a_socket_that_was_given_connections_while_nobody_was_there_has_its_whole_time_from_then_on() {
    let mut world = World::spread().seated(2);
    world.dies(W2);
    world.waits(60_000);
    world.dies(W1);
    // Connections come to both.
    world.waits(60_000);
    world.sits(W3, 0);
    world.listens(W3);
    let close = Action::CloseMember { listener: L0, member: M1 };
    world.waits(74_999);
    assert!(!world.sees(&[], true).contains(&close));
    world.waits(1);
    assert!(world.sees(&[], true).contains(&close));
}

#[test]
fn with_no_worker_left_the_sockets_stay() {
    let mut world = World::spread().seated(2);
    world.dies(W1);
    world.dies(W2);
    let actions = world.waits(100_000);
    assert!(!actions.iter().any(|it| matches!(it, Action::CloseMember { .. })), "{actions:?}");
    assert_eq!(steered(&world.sits(W3, 7)), [[]; 0]);
    assert_eq!(world.primary.member_of(W3, L0), Some(M0), "it takes over what waits there");
}

#[test]
fn a_socket_that_cannot_be_made_is_an_error_for_who_asked_and_can_be_asked_for_again() {
    let mut world = World::spread().seated(1);
    let origin = Origin { seat: Seat::Slot(SlotId(1)), generation: Generation::FIRST };
    world.on(Event::Forked { worker: W2, origin });
    let asked = world.asks(W2, tcp(80));
    assert_eq!(asked, [Action::BindMember { listener: L0, member: M1 }]);
    let outcome = Err(Errno::TOO_MANY);
    let failed = world.on(Event::MemberBound { listener: L0, member: M1, outcome }).to_vec();
    assert_eq!(replies(&failed), [(W2, Reply::Failed(Errno::TOO_MANY))]);
    assert_eq!(world.asks(W2, tcp(80)), [Action::BindMember { listener: L0, member: M2 }]);
}

#[test]
fn who_waits_for_a_socket_of_a_listener_that_is_closed_is_told() {
    let mut world = World::spread().seated(1);
    let origin = Origin { seat: Seat::Slot(SlotId(1)), generation: Generation::FIRST };
    world.on(Event::Forked { worker: W2, origin });
    world.asks(W2, tcp(80));
    let closed = world.on(Event::CloseListener { listener: L0 }).to_vec();
    assert_eq!(replies(&closed), [(W2, Reply::Failed(Errno::CANCELLED))]);
}

#[test]
fn a_path_and_a_descriptor_are_one_socket_for_all() {
    for address in [unix().address, Address::Fd { fd: 3 }] {
        let mut world = World::spread();
        world.joins(W1, true, query(address));
        assert_eq!(world.view(L0).mode, Mode::Shared);
    }
}

#[test]
fn datagrams_are_spread_too_and_never_looked_at() {
    let mut world = World::spread();
    world.comes(W1, true);
    world.comes(W2, true);
    world.asks(W1, udp(53, 0, 0));
    world.bound_to(L0, SocketKind::Datagram);
    assert_eq!(world.asks(W2, udp(53, 0, 0)), [Action::BindMember { listener: L0, member: M1 }]);
    world.on(Event::MemberBound { listener: L0, member: M1, outcome: Ok(()) });
    let mut actions = Vec::new();
    for worker in [W1, W2] {
        let message = FromWorker::Listening { query: udp(53, 0, 0), port: 53 };
        actions.extend_from_slice(world.says(worker, message));
    }
    assert_eq!(steered(&actions).last(), Some(&vec![M0, M1]));
    assert!(!actions.contains(&SURVEY), "{actions:?}");
}

#[test]
fn a_listener_that_is_open_stays_what_it_is_when_its_policy_changes() {
    let mut world = World::spread().seated(1);
    world.rules(None, Rule::default());
    assert_eq!(world.view(L0).mode, Mode::Kernel);
    let mut world = World::ruled(Rule::default()).crew(1, true);
    world.rules(None, Rule::kernel());
    assert_eq!(world.view(L0).mode, Mode::Handover);
}
