//! Workers that refuse everything: they are asked now and then, not again and again, and it comes to an end.

use std::time::Duration;

use portcrew_core::primary::Rule;
use portcrew_core::scheduler::{Incoming, Pick, WorkerView};
use portcrew_core::{CloseReason, Limits, WorkerId};

use crate::crew::{Crew, honest};

const WORKERS: u32 = 4;
const CLIENTS: u64 = 40;

/// What it cost to find nobody for these connections.
#[derive(Debug)]
struct Cost {
    /// The most offers between two time-outs.
    burst: u64,
    offers: u64,
    timeouts: u64,
    took: Duration,
    /// Connections closed because all refused, or because they had waited too long.
    closed: u64,
}

/// All clients come at once, and all workers refuse all that they are given, at once.
fn refused(rule: Rule, limits: Limits) -> Cost {
    let mut crew = Crew::with(WORKERS, rule, limits, honest);
    for _ in 0..CLIENTS {
        crew.accepts();
    }
    let mut cost = Cost { burst: 0, offers: 0, timeouts: 0, took: Duration::ZERO, closed: 0 };
    loop {
        let before = crew.offers;
        refuse_all(&mut crew);
        cost.burst = cost.burst.max(crew.offers - before);
        if cost.timeouts >= 10_000 || !crew.waits() {
            break;
        }
        cost.timeouts += 1;
    }
    let ledger = crew.primary.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    cost.closed =
        ledger.closed_for(CloseReason::AllRefused) + ledger.closed_for(CloseReason::HeldTooLong);
    (cost.offers, cost.took) = (crew.offers, crew.elapsed());
    cost
}

/// Until nobody has anything. A bound, for a primary that offers again at once what was refused.
fn refuse_all(crew: &mut Crew) {
    for _ in 0..10_000 {
        for worker in 1..=WORKERS {
            crew.answers(WorkerId(worker), false);
        }
        if crew.primary.ledger().offered == 0 {
            return;
        }
    }
}

/// In each rest a worker is given what fits into its window, and there are as many time-outs as rests, and some for
/// connections that have waited too long. None of it is lost.
fn is_calm(cost: &Cost, limits: &Limits) -> bool {
    let rests = cost.took.as_millis() / limits.refusal_rest.as_millis().max(1) + 1;
    let fits = u64::from(WORKERS * limits.lane_window);
    cost.burst <= fits
        && u128::from(cost.offers) <= u128::from(fits) * (rests + 1)
        && u128::from(cost.timeouts) <= rests + 2 * u128::from(CLIENTS)
        && cost.closed == CLIENTS
}

#[test]
fn when_all_refuse_all_are_asked_now_and_then_and_each_connection_is_closed_and_counted() {
    let limits = Limits::default();
    let cost = refused(Rule::default(), limits.clone());
    assert!(is_calm(&cost, &limits), "{cost:?}");
    // Each was refused as often as it may be, and once more.
    assert_eq!(cost.offers, CLIENTS * (u64::from(limits.refusals) + 1));
}

#[test]
fn a_connection_that_waits_for_workers_that_refuse_is_not_kept_for_ever() {
    let mut limits = Limits::default();
    (limits.refusals, limits.held_for) = (u32::MAX, Duration::from_secs(2));
    let cost = refused(Rule::default(), limits.clone());
    assert!(is_calm(&cost, &limits), "{cost:?}");
    // The last rests end after the last connection.
    assert!(cost.took <= limits.held_for + limits.refusal_rest, "{cost:?}");
}

#[test]
fn a_primary_that_offers_again_at_once_is_seen_to_be_busy() {
    let mut restless = Limits::default();
    restless.refusal_rest = Duration::ZERO;
    let cost = refused(Rule::default(), restless);
    assert!(!is_calm(&cost, &Limits::default()), "{cost:?}");
}

#[test]
fn a_policy_that_is_asked_again_without_end_is_seen_to_be_busy() {
    let hasty = |_: &Incoming, _: &[WorkerView]| Pick::WaitAtMost(Duration::ZERO);
    let mut limits = Limits::default();
    limits.held_for = Duration::from_secs(3);
    let mut restless = limits.clone();
    restless.ask_again = Duration::from_nanos(1);
    let cost = refused(Rule::handover(hasty), restless);
    assert!(!is_calm(&cost, &limits), "{cost:?}");
    // As it is, it is asked as often as it may be.
    let cost = refused(Rule::handover(hasty), limits.clone());
    let most = limits.held_for.as_millis() / limits.ask_again.as_millis() + u128::from(CLIENTS);
    assert!(u128::from(cost.timeouts) <= most && cost.closed == CLIENTS, "{cost:?}");
}

#[test]
fn while_all_are_busy_nothing_happens_until_a_connection_has_waited_too_long() {
    let mut crew = Crew::of(WORKERS, Rule::default());
    for _ in 0..u64::from(WORKERS * Limits::default().lane_window) + 10 {
        crew.accepts();
    }
    assert_eq!(crew.view().waiting.len(), 10);
    assert!(crew.waits());
    assert_eq!(crew.elapsed(), Limits::default().held_for);
    assert_eq!(crew.primary.ledger().closed_for(CloseReason::HeldTooLong), 10);
}
