//! Open connections, counted by the kernel, by the workers, or not at all.

use super::*;
use crate::primary::Counter;
use crate::scheduler::LeastConnections;

fn counting() -> World {
    World::ruled(Rule::handover(LeastConnections))
}

/// Two workers on port 80, of which the kernel tells.
fn counted() -> World {
    let mut world = counting().crew(2, true);
    world.on(Event::Counting { listener: L0, by: Counter::Kernel });
    world
}

impl World {
    fn live(&self, worker: WorkerId) -> Option<u32> {
        let view = self.view(L0);
        view.holders.iter().find(|it| it.worker == worker).and_then(|it| it.live)
    }

    /// A connection that is taken at once. Who took it.
    fn serves(&mut self, conn: u64) -> WorkerId {
        self.accepts(conn);
        let (worker, seq) = self.offer(conn);
        self.answers(worker, seq, true);
        worker
    }
}

#[test]
fn the_kernel_is_asked_for_what_a_policy_needs_and_for_nothing_else() {
    let mut world = counting();
    let actions = world.joins(W1, true, tcp(80));
    assert!(actions.contains(&Action::Count { listener: L0, on: true }));
    let mut plain = World::limited(|_| {});
    let actions = plain.joins(W1, true, tcp(80));
    assert!(!actions.iter().any(|it| matches!(it, Action::Count { .. })));
    assert_eq!(plain.live(W1), None);
}

#[test]
fn what_is_taken_counts_until_it_ends_and_decides_who_is_next() {
    let mut world = counted();
    let taken: Vec<_> = (0..4).map(|conn| world.serves(conn)).collect();
    assert_eq!(taken, [W1, W2, W1, W2]);
    assert_eq!((world.live(W1), world.live(W2)), (Some(2), Some(2)));
    world.on(Event::Ended { worker: W2, dying: false });
    world.on(Event::Ended { worker: W2, dying: false });
    assert_eq!((world.serves(4), world.serves(5)), (W2, W2));
    assert_eq!(world.live(W2), Some(2));
}

#[test]
fn a_refused_connection_is_not_open_anywhere() {
    let mut world = counted();
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, false);
    assert_eq!(world.live(worker), Some(0));
}

#[test]
fn before_anybody_counts_connections_are_dealt_in_turn() {
    let mut world = counting().crew(2, true);
    assert_eq!(world.live(W1), None);
    assert_eq!((world.serves(0), world.serves(1)), (W1, W2));
}

#[test]
fn of_a_unix_domain_socket_the_workers_tell() {
    let mut world = counting();
    world.comes(W1, true);
    world.asks(W1, unix());
    let actions = world.bound_to(L0, SocketKind::Stream);
    assert!(news(&actions).contains(&Scheduling::Counted { by: Counter::Workers }));
    assert!(!actions.iter().any(|it| matches!(it, Action::Count { .. })));
    world.accepts(1);
    let (_, seq) = world.offer(1);
    world.on(Event::TakenAndTold { worker: W1, seq });
    assert_eq!(world.live(W1), Some(1));
    world.on(Event::EndTold { worker: W1, seq });
    assert_eq!(world.live(W1), Some(0));
    // Said twice, or of nothing.
    world.on(Event::EndTold { worker: W1, seq });
    assert_eq!(world.live(W1), Some(0));
}

#[test]
fn a_worker_that_does_not_tell_cannot_be_counted_and_that_is_said_once() {
    let mut world = counting();
    world.comes(W1, true);
    world.asks(W1, unix());
    world.bound_to(L0, SocketKind::Stream);
    let mut told = Vec::new();
    for conn in 0..2 {
        world.accepts(conn);
        let (worker, seq) = world.offer(conn);
        told.extend(news(world.answers(worker, seq, true)));
    }
    assert_eq!(told, [Scheduling::Uncounted { worker: W1 }]);
    assert_eq!(world.live(W1), None);
}

#[test]
fn a_worker_that_promises_to_tell_and_never_does_is_not_remembered_without_end() {
    let mut world = World::with(|settings| {
        settings.rules = Rules::new(Rule::handover(LeastConnections));
        settings.limits.told_per_worker = 2;
    });
    world.comes(W1, true);
    world.asks(W1, unix());
    world.bound_to(L0, SocketKind::Stream);
    let mut told = Vec::new();
    for conn in 0..4 {
        world.accepts(conn);
        let (worker, seq) = world.offer(conn);
        told.extend(news(world.on(Event::TakenAndTold { worker, seq })));
    }
    assert_eq!(told, [Scheduling::Uncounted { worker: W1 }]);
    assert_eq!(world.live(W1), None);
}

#[test]
fn what_a_worker_tells_where_the_kernel_counts_counts_once() {
    let mut world = counted();
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.on(Event::TakenAndTold { worker, seq });
    world.on(Event::EndTold { worker, seq });
    assert_eq!(world.live(worker), Some(1));
    world.on(Event::Ended { worker, dying: false });
    assert_eq!(world.live(worker), Some(0));
}

#[test]
fn a_policy_that_waits_for_an_end_is_asked_when_one_comes() {
    use crate::scheduler::{Incoming, Pick, WorkerView};
    let one_each = |_: &Incoming, workers: &[WorkerView]| {
        let idle = workers.iter().find(|it| it.is_free() && it.live == Some(0));
        idle.map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    };
    let mut world = World::ruled(Rule::handover(one_each)).crew(1, true);
    world.on(Event::Counting { listener: L0, by: Counter::Kernel });
    world.serves(1);
    assert_eq!(offered(world.accepts(2)), []);
    assert_eq!(offered(world.on(Event::Ended { worker: W1, dying: false })), [(2, W1)]);
}

#[test]
fn how_busy_a_process_is_is_shown_to_who_needs_it() {
    use crate::scheduler::{CpuShare, Incoming, Pick, WorkerView};
    let calmest = |_: &Incoming, workers: &[WorkerView]| {
        let calmest = workers.iter().min_by_key(|it| it.cpu);
        calmest.map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    };
    let mut world = World::ruled(Rule::handover(calmest)).crew(2, true);
    assert!(world.primary.needs_cpu());
    world.on(Event::Cpu { worker: W1, share: CpuShare(900) });
    world.on(Event::Cpu { worker: W2, share: CpuShare(100) });
    assert_eq!(world.serves(1), W2);
    assert!(!World::limited(|_| {}).crew(1, true).primary.needs_cpu());
}

#[test]
fn what_a_worker_had_before_anybody_counted_counts_too() {
    let mut world = World::limited(|_| {}).crew(2, true);
    assert_eq!((world.serves(0), world.serves(1)), (W1, W2));
    let (now, mut out) = (world.now, Vec::new());
    world.primary.set_rule(now, None, Some(Rule::handover(LeastConnections)), &mut out);
    assert!(out.contains(&Action::Count { listener: L0, on: true }));
    world.on(Event::Found { worker: W1, listener: L0 });
    world.on(Event::Counting { listener: L0, by: Counter::Kernel });
    assert_eq!((world.live(W1), world.live(W2)), (Some(1), Some(0)));
    assert_eq!(world.serves(2), W2);
}

#[test]
fn when_the_kernel_stops_telling_who_had_connections_cannot_be_counted() {
    let mut world = counted();
    assert_eq!(world.serves(0), W1);
    world.on(Event::Counting { listener: L0, by: Counter::Workers });
    assert_eq!((world.live(W1), world.live(W2)), (None, Some(0)));
}

#[test]
fn a_socket_of_which_the_workers_tell_is_not_counted_by_the_shell_and_nothing_is_to_be_ended() {
    let mut world = counting();
    world.comes(W1, true);
    world.asks(W1, unix());
    world.bound_to(L0, SocketKind::Stream);
    let actions = world.rules(None, Rule::default());
    assert!(!actions.iter().any(|it| matches!(it, Action::Count { .. })), "{actions:?}");
    assert_eq!(world.live(W1), None);
}

#[test]
fn what_was_counted_counts_until_it_ends_though_nobody_counts_meanwhile() {
    let mut world = counted();
    assert_eq!((world.serves(0), world.serves(1)), (W1, W2));
    let actions = world.rules(None, Rule::default());
    assert!(actions.contains(&Action::Count { listener: L0, on: false }));
    assert_eq!(world.live(W1), None);
    // Not counted, and of the other the end is told all the same.
    world.serves(2);
    world.on(Event::Ended { worker: W1, dying: false });
    world.rules(None, Rule::handover(LeastConnections));
    world.on(Event::Counting { listener: L0, by: Counter::Kernel });
    assert_eq!((world.live(W1), world.live(W2)), (Some(0), Some(1)));
}

#[test]
fn how_busy_a_process_was_is_not_shown_to_a_policy_that_does_not_ask() {
    use crate::scheduler::{CpuShare, Incoming, Pick, WorkerView};
    let asks = |_: &Incoming, _: &[WorkerView]| Pick::Wait;
    let mut world = World::ruled(Rule::handover(asks)).crew(1, true);
    world.on(Event::Cpu { worker: W1, share: CpuShare(900) });
    assert_eq!(world.view(L0).holders[0].cpu, Some(CpuShare(900)));
    world.rules(None, Rule::default());
    assert_eq!(world.view(L0).holders[0].cpu, None);
}
