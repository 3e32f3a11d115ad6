//! Many workers end at one moment: each is reaped once, none stays a zombie, all are replaced.

use std::collections::BTreeSet;

use portcrew_testkit::process::{Signal, eventually, proc_fs, signal_child};

use crate::support::{Crew, HANG, has_ended, primary, scaled};

const WORKERS: usize = 200;

#[test]
fn two_hundred_ends_that_come_as_one_are_two_hundred_ends() {
    let mut crew = Crew::start(primary("sleep").arg("100000").env("RESPAWN", "1"));
    crew.tell(&format!("fork {WORKERS}"));
    let alive = |crew: &Crew| {
        let children = proc_fs::children(crew.pid()).unwrap();
        let all = children.len() == WORKERS && !children.iter().any(|pid| has_ended(*pid));
        all.then_some(children)
    };
    let mut workers = eventually("all live", HANG, || alive(&crew));
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    let mut ended = BTreeSet::new();
    for round in 1..=usize::try_from(scaled(3, 20)).unwrap() {
        // It reaps nobody while it is stopped, so each number is still that of its own child.
        crew.process.signal(Signal::Stop);
        eventually("it stops", HANG, || (proc_fs::state(crew.pid()).unwrap() == 'T').then_some(()));
        for pid in &workers {
            signal_child(crew.pid(), *pid, Signal::Kill).unwrap();
        }
        crew.process.signal(Signal::Cont);
        for _ in 0..WORKERS {
            let exit = crew.next("exit");
            assert_eq!(exit["signal"], Signal::Kill.number());
            assert!(ended.insert(exit["worker"].as_u64().unwrap()), "told twice: {exit}");
        }
        let dead = workers;
        workers = eventually("all are replaced", HANG, || {
            alive(&crew).filter(|now| now.iter().all(|pid| !dead.contains(pid)))
        });
        assert_eq!(ended.len(), round * WORKERS);
        crew.assert_fds(before);
    }
    crew.assert_no_panic();
}
