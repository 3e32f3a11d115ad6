//! Policies that change while a crew serves: nothing is lost, and a change that cannot be made is undone.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use portcrew::scheduler::{Incoming, Pick, WorkerView};
use portcrew::{CrewNotice, Event, Policy, Scheduling, Settings, Sticky};
use portcrew_testkit::http::{Background, Load};
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::require_node;

use crate::local::{self, Local};
use crate::support::{HANG, SERVER};

fn crew(program: impl Into<std::path::PathBuf>) -> Local {
    let mut settings = Settings::program(program, [""; 0]).env("PORT", "0");
    settings.policy = Policy::RoundRobin;
    settings.stable_for = Duration::from_millis(50);
    let local = Local::new(settings);
    local.cluster.start(2).unwrap();
    local
}

impl Local {
    fn address(&mut self, workers: usize) -> SocketAddr {
        let mut port = None;
        for _ in 0..workers {
            port = self.until(|event| match event {
                Event::Listening { address, .. } => Some(address.port),
                _ => None,
            });
        }
        (Ipv4Addr::LOCALHOST, port.unwrap()).into()
    }

    /// Waits until the workers have been replaced, or have not.
    fn verdict(&mut self) -> CrewNotice {
        self.until(|event| match event {
            Event::Crew(
                notice @ (CrewNotice::ReloadCommitted { .. } | CrewNotice::RolledBack { .. }),
            ) => Some(*notice),
            _ => None,
        })
    }

    fn policy(&mut self) -> &'static str {
        self.until(|event| match event {
            Event::Scheduling { news: Scheduling::Policy { name }, .. } => Some(*name),
            _ => None,
        })
    }

    /// Lets the driver run until the load has so many answers more.
    fn answered(&self, load: &Arc<Background>, more: u64) {
        let load = Arc::clone(load);
        self.clients(move || load.wait_answered(more, HANG));
    }

    /// Ends the load, of which every attempt was answered.
    fn all_answered(&self, load: Arc<Background>) {
        let load = Arc::into_inner(load).expect("nobody waits for it");
        self.clients(move || load.finish()).assert_all_ok();
    }
}

#[test]
fn among_policies_of_the_primary_a_change_takes_place_at_once_and_loses_nothing() {
    let mut local = crew(example("axum_hello"));
    let address = local.address(2);
    assert_eq!(local.policy(), "round-robin");
    let load = Arc::new(Load::new(address).clients(16).background());
    for policy in [Policy::LeastConnections, Policy::Sticky(Sticky::default()), Policy::RoundRobin]
    {
        local.answered(&load, 200);
        local.cluster.set_policy(policy.clone()).unwrap();
        assert_eq!(local.policy(), policy.to_string());
    }
    local.answered(&load, 200);
    local.all_answered(load);
    let ledger = local.run(local.cluster.snapshot()).unwrap().ledger;
    assert!(ledger.balances() && ledger.closed_total() == 0, "{ledger:?}");
}

#[test]
fn to_shared_and_back_the_workers_are_replaced_and_no_request_fails() {
    let mut local = crew(example("axum_hello"));
    let address = local.address(2);
    let load = Arc::new(Load::new(address).clients(16).background());
    for (policy, shared) in [(Policy::Shared, true), (Policy::LeastConnections, false)] {
        local.answered(&load, 200);
        local.cluster.set_policy(policy).unwrap();
        assert!(matches!(local.verdict(), CrewNotice::ReloadCommitted { .. }));
        local.answered(&load, 200);
        let listener = local.listener();
        assert_eq!((listener.shared, listener.accepting), (shared, !shared));
    }
    local.all_answered(load);
}

/// Two workers that accept for themselves, and beside them the first for whom the primary accepts: what it accepts
/// goes to all three in turn.
fn while_they_are_replaced(mut settings: Settings) {
    settings.policy = Policy::Shared;
    let mut local = Local::new(settings);
    local.fork();
    local.fork();
    let address = local.address(2);
    local.cluster.set_policy(Policy::RoundRobin).unwrap();
    local.fork();
    local.address(1);
    let load = Arc::new(Load::new(address).background());
    // What was given and not what was answered: an answer may be late.
    let given = loop {
        local.answered(&load, 20);
        let snapshot = local.run(local.cluster.snapshot()).unwrap();
        let given: Vec<_> = snapshot.listeners[0].views.iter().map(|it| it.given).collect();
        if given.iter().sum::<u64>() >= 30 {
            break given;
        }
    };
    local.all_answered(load);
    let (least, most) = (given.iter().min(), given.iter().max());
    assert!(given.len() == 3 && least.unwrap() + 1 >= *most.unwrap(), "{given:?}");
    let snapshot = local.run(local.cluster.snapshot()).unwrap();
    let ledger = snapshot.ledger;
    assert_eq!((ledger.offered_again, ledger.closed_total()), (0, 0), "{ledger:?}");
    let views = &snapshot.listeners[0].views;
    assert!(views.iter().all(|it| it.listening), "{views:?}");
}

#[test]
fn workers_that_share_a_socket_are_handed_connections_beside_a_new_one() {
    while_they_are_replaced(Settings::program(SERVER, [""; 0]).env("PORT", "0"));
}

#[test]
fn node_workers_that_share_a_socket_are_handed_connections_beside_a_new_one() {
    let node = require_node!();
    while_they_are_replaced(local::node(&node, &[], "hello.js").env("PORT", "0"));
}

/// What a test does while a newcomer is on trial is done by then on a busy machine, too.
const AT_LEISURE: Duration = Duration::from_secs(1);

/// A crew whose workers fail at boot as long as that file is there.
fn breakable() -> (Local, tempfile::TempDir, std::path::PathBuf) {
    breakable_for(Duration::from_millis(50))
}

/// The same, where each newcomer must serve for so long before the next one is started.
fn breakable_for(stable: Duration) -> (Local, tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    let mut settings = Settings::program(SERVER, [""; 0]).env("BROKEN_IF", broken.as_os_str());
    settings.policy = Policy::RoundRobin;
    settings.stable_for = stable;
    let local = Local::new(settings);
    local.cluster.start(2).unwrap();
    (local, folder, broken)
}

#[test]
fn where_the_workers_cannot_be_replaced_the_policy_goes_back_with_them() {
    let (mut local, _folder, broken) = breakable();
    let address = local.address(2);
    let load = Arc::new(Load::new(address).clients(4).background());
    std::fs::write(&broken, "").unwrap();
    local.cluster.set_policy(Policy::Shared).unwrap();
    assert!(matches!(local.verdict(), CrewNotice::RolledBack { .. }));
    let names = [local.policy(), local.policy(), local.policy()];
    assert_eq!(names, ["round-robin", "shared", "round-robin"]);
    assert_eq!(local.cluster.settings().policy, Policy::RoundRobin);
    local.answered(&load, 100);
    let listener = local.listener();
    assert_eq!((listener.shared, listener.accepting), (false, true));
    local.all_answered(load);
}

#[test]
fn a_policy_that_came_with_the_workers_stays_when_a_later_reload_goes_back() {
    let (mut local, _folder, broken) = breakable();
    local.address(2);
    // It is nobody's to replace and goes on in the old way.
    local.fork();
    local.address(1);
    local.cluster.set_policy(Policy::Shared).unwrap();
    assert!(matches!(local.verdict(), CrewNotice::ReloadCommitted { .. }));
    let again = local.run(local.cluster.request_policy(Policy::Shared)).unwrap();
    assert_eq!(again, None, "no worker of the crew is to be replaced any more");
    std::fs::write(&broken, "").unwrap();
    local.cluster.reload().unwrap();
    assert!(matches!(local.verdict(), CrewNotice::RolledBack { .. }));
    assert!(local.listener().shared);
    assert_eq!(local.cluster.settings().policy, Policy::Shared);
}

#[test]
fn a_policy_that_is_in_force_at_once_stays_when_the_one_before_it_goes_back() {
    let (mut local, _folder, broken) = breakable();
    local.address(2);
    std::fs::write(&broken, "").unwrap();
    local.cluster.set_policy(Policy::Shared).unwrap();
    let at_once = local.run(local.cluster.request_policy(Policy::LeastConnections)).unwrap();
    assert_eq!(at_once, None);
    assert!(matches!(local.verdict(), CrewNotice::RolledBack { .. }));
    assert_eq!(local.listener().policy, "least-connections");
    assert_eq!(local.cluster.settings().policy, Policy::LeastConnections);
}

#[test]
fn a_change_that_the_next_reload_answers_outlives_the_rollback_of_this_one() {
    let (mut local, _folder, broken) = breakable_for(AT_LEISURE);
    local.address(2);
    local.cluster.reload().unwrap();
    // The first newcomer is there, and the next one is not started before that has been so for a while.
    local.address(1);
    std::fs::write(&broken, "").unwrap();
    // From now on a change is one more reload, and this one will fail.
    local.until(|event| {
        matches!(event, Event::Crew(CrewNotice::ReloadProgress { .. })).then_some(())
    });
    let first = local.cluster.request_policy(Policy::Shared);
    let generation = local.run(first).unwrap().expect("workers hold the listener otherwise");
    let verdict = local.until(|event| match event {
        Event::Crew(CrewNotice::ReloadFailed { .. }) => {
            std::fs::remove_file(&broken).unwrap();
            None
        }
        Event::Crew(
            notice @ (CrewNotice::ReloadCommitted { .. } | CrewNotice::RolledBack { .. }),
        ) => Some(*notice),
        _ => None,
    });
    assert!(
        matches!(verdict, CrewNotice::RolledBack { generation: it, .. } if it < generation),
        "{verdict:?}"
    );
    let verdict = local.verdict();
    assert!(
        matches!(verdict, CrewNotice::ReloadCommitted { generation: it } if it == generation),
        "{verdict:?}"
    );
    assert!(local.listener().shared);
    assert_eq!(local.cluster.settings().policy, Policy::Shared);
}

#[test]
fn a_newcomer_that_listened_before_the_change_is_none_of_those_that_commit_it() {
    let (mut local, _folder, _broken) = breakable_for(AT_LEISURE);
    local.address(2);
    local.cluster.reload().unwrap();
    local.address(1);
    let answer = local.cluster.request_policy(Policy::Shared);
    let generation = local.run(answer).unwrap().expect("workers hold the listener otherwise");
    local.until(|event| match event {
        Event::Crew(CrewNotice::ReloadCommitted { generation: it }) => {
            (*it == generation).then_some(())
        }
        _ => None,
    });
    let listener = local.listener();
    assert_eq!((listener.shared, listener.accepting), (true, false));
}

#[test]
fn a_scheduler_that_panics_costs_no_request_and_is_told_once() {
    let mut local = crew(example("axum_hello"));
    let address = local.address(2);
    let load = Arc::new(Load::new(address).clients(8).background());
    local.answered(&load, 100);
    let mut left = 50;
    local
        .cluster
        .set_scheduler(move |_: &Incoming, workers: &[WorkerView]| {
            left -= 1;
            if left == 0 {
                // A panic that no hook prints: on a busy machine its backtrace keeps the primary for seconds.
                std::panic::resume_unwind(Box::new("no idea any more"));
            }
            workers.iter().find(|it| it.is_free()).map_or(Pick::Wait, |it| Pick::Worker(it.worker))
        })
        .unwrap();
    let failure = local.until(|event| match event {
        Event::Scheduling { news: Scheduling::Failed { failure }, .. } => Some(failure.to_string()),
        _ => None,
    });
    assert_eq!(failure, "it panicked: no idea any more");
    local.answered(&load, 200);
    local.all_answered(load);
    let snapshot = local.run(local.cluster.snapshot()).unwrap();
    assert_eq!(snapshot.ledger.scheduler_panics, 1);
    assert_eq!(snapshot.listeners[0].policy, "round-robin");
}

#[test]
fn one_listener_has_a_policy_of_its_own() {
    let mut local = crew(SERVER);
    let address = local.address(2);
    let name = portcrew::ListenerName::Port(0);
    local.cluster.set_policy_of(name, Policy::Sticky(Sticky::default())).unwrap();
    local.cluster.set_policy(Policy::LeastConnections).unwrap();
    let report = local.clients(move || Load::new(address).requests(20).run());
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 1, "one client, one worker: {:?}", report.by_worker);
    assert_eq!(local.listener().policy, "sticky");
}

#[test]
fn a_policy_that_cannot_be_is_refused_with_the_reason_and_nothing_changes() {
    let local = crew(SERVER);
    let mut sticky = Sticky::default();
    sticky.ipv6_prefix = 129;
    let error = local.cluster.set_policy(Policy::Sticky(sticky)).unwrap_err();
    assert!(error.to_string().contains("Sticky::ipv6_prefix"), "{error}");
    assert_eq!(local.cluster.settings().policy, Policy::RoundRobin);
}

#[test]
fn several_policies_are_one_change_which_is_made_or_goes_back_as_one() {
    let (mut local, _folder, broken) = breakable();
    local.address(2);
    let own = Some(portcrew::ListenerName::Port(0));
    std::fs::write(&broken, "").unwrap();
    // The first needs other workers, and the second would be in force at once.
    let wish = [(own.clone(), Policy::Shared), (None, Policy::LeastConnections)];
    let asked = local.cluster.request_policies(wish.clone());
    let generation = local.run(asked).unwrap().expect("workers hold the listener otherwise");
    let verdict = local.verdict();
    assert!(matches!(verdict, CrewNotice::RolledBack { generation: it, .. } if it == generation));
    let settings = local.cluster.settings();
    assert_eq!((&settings.policy, settings.policies.len()), (&Policy::RoundRobin, 0));
    assert_eq!((local.listener().policy, local.listener().shared), ("round-robin", false));
    std::fs::remove_file(&broken).unwrap();
    let asked = local.cluster.request_policies(wish);
    assert!(local.run(asked).unwrap().is_some());
    assert!(matches!(local.verdict(), CrewNotice::ReloadCommitted { .. }));
    let settings = local.cluster.settings();
    assert_eq!(settings.policy, Policy::LeastConnections);
    assert_eq!(settings.policies.get(own.as_ref().unwrap()), Some(&Policy::Shared));
    assert!(local.listener().shared);
}

#[test]
fn of_several_policies_none_is_set_when_one_cannot_be() {
    let local = crew(SERVER);
    let mut sticky = Sticky::default();
    sticky.ipv4_prefix = 33;
    let wish = [(None, Policy::LeastConnections), (None, Policy::Sticky(sticky))];
    let error = local.run(local.cluster.request_policies(wish)).unwrap_err();
    assert!(error.to_string().contains("Sticky::ipv4_prefix"), "{error}");
    assert_eq!(local.cluster.settings().policy, Policy::RoundRobin);
}
