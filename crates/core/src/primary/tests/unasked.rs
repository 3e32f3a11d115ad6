//! Listeners that the user has opened, and workers that have them from their start.

use super::*;
use crate::Errno;
use crate::scheduler::Seat;
use crate::supervise::{Generation, SlotId};

/// A primary with port 80 opened by its user.
fn opened() -> World {
    let mut world = World::limited(|_| {});
    assert!(matches!(
        world.on(Event::Open { query: tcp(80) }),
        [Action::Bind { listener: L0, mode: Mode::Shared, .. }]
    ));
    world.bound(L0);
    world
}

impl World {
    /// A worker of that generation starts with all that is open. What that decided.
    fn inherits(&mut self, worker: WorkerId, generation: u64) -> Vec<Action> {
        let (seat, generation) = (Seat::Slot(SlotId(worker.0 as usize)), Generation(generation));
        let origin = Origin { seat, generation };
        let mut actions = self.on(Event::Forked { worker, origin }).to_vec();
        actions.extend_from_slice(self.on(Event::Inherits { worker }));
        actions
    }

    fn holders(&self) -> Vec<WorkerId> {
        self.view(L0).holders.iter().map(|it| it.worker).collect()
    }

    fn kept(&self) -> Vec<ListenerId> {
        self.primary.kept().collect()
    }
}

fn closes(actions: &[Action]) -> bool {
    actions.iter().any(|it| matches!(it, Action::CloseListener { .. }))
}

#[test]
fn workers_hold_what_the_user_has_opened_from_their_start_and_are_told_nothing() {
    let mut world = opened();
    for worker in [W1, W2] {
        let actions = world.inherits(worker, 0);
        assert_eq!(actions, [Action::Notify(Notice::Forked { worker })]);
    }
    let view = world.view(L0);
    assert_eq!((view.mode, view.policy, view.is_accepting), (Mode::Shared, "shared", false));
    assert_eq!((view.accepted, view.taken), (None, None), "nobody counts what they take");
    assert_eq!(world.holders(), [W1, W2]);
    assert!(world.primary.accepts_itself(W1));
}

#[test]
fn it_stays_open_whoever_dies_is_told_to_leave_or_was_of_an_old_generation() {
    let mut world = opened();
    world.inherits(W1, 0);
    world.inherits(W2, 0);
    assert!(!closes(&world.dies(W1)));
    // The last one, on purpose: of what a worker had asked for this closes it.
    assert!(!closes(world.on(Event::Unlist { worker: W2 })));
    assert_eq!(world.holders(), []);
    assert!(!closes(world.on(Event::Renewed { generation: Generation(7) })));
    assert!(!closes(&world.dies(W2)));
    assert_eq!(world.kept(), [L0]);
    assert!(closes(world.on(Event::CloseListener { listener: L0 })));
    assert_eq!(world.kept(), []);
}

#[test]
fn a_worker_that_is_told_to_leave_holds_nothing_that_was_opened() {
    let mut world = opened();
    world.inherits(W1, 0);
    let told = world.on(Event::Disconnect { worker: W1 }).to_vec();
    let message = ToWorker::Disconnect;
    assert!(told.iter().any(|it| matches!(it, Action::Send { message: it, .. } if *it == message)));
    assert_eq!(world.holders(), []);
}

#[test]
fn what_cannot_be_bound_is_not_there_and_can_be_wanted_again() {
    let mut world = World::limited(|_| {});
    world.on(Event::Open { query: tcp(80) });
    let outcome = Err(Errno::ADDRESS_IN_USE);
    assert_eq!(world.on(Event::Bound { listener: L0, outcome }), []);
    assert_eq!((world.kept(), world.primary.listeners().count()), (vec![], 0));
    assert!(matches!(world.on(Event::Open { query: tcp(80) }), [Action::Bind { .. }]));
}

#[test]
fn they_are_kept_in_the_order_in_which_they_were_wanted_and_each_once() {
    let mut world = World::limited(|_| {});
    for query in [unix(), tcp(80), udp(53, 0, 0), tcp(80)] {
        world.on(Event::Open { query });
    }
    for listener in [ListenerId(2), ListenerId(0), ListenerId(1)] {
        world.bound(listener);
    }
    assert_eq!(world.kept(), [ListenerId(0), ListenerId(1), ListenerId(2)]);
    world.inherits(W1, 0);
    let all: Vec<_> = world.primary.listeners().map(|it| it.holders.len()).collect();
    assert_eq!(all, [1, 1, 1]);
}

#[test]
fn no_policy_has_the_primary_accept_for_workers_that_it_cannot_reach() {
    let mut world = opened();
    world.inherits(W1, 0);
    for rule in [Rule::default(), Rule::handover(crate::scheduler::LeastConnections)] {
        let actions = world.rules(None, rule);
        assert!(!actions.iter().any(|it| matches!(it, Action::Accept { .. })), "{actions:?}");
        assert_eq!(world.view(L0).mode, Mode::Shared);
        assert!(!world.primary.is_changing());
    }
}

#[test]
fn a_worker_with_a_channel_that_asks_for_such_a_listener_shares_it_and_does_not_close_it() {
    let mut world = opened();
    assert_eq!(replies(&world.joins(W1, true, tcp(80))), [(W1, Reply::Shared)]);
    let key = tcp(80).key();
    assert!(!closes(world.says(W1, FromWorker::Close { key })));
    assert_eq!(world.kept(), [L0]);
}
