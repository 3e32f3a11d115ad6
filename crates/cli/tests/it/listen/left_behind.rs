//! A worker with processes of its own: what it leaves behind when it dies would go on taking connections.

use std::collections::BTreeSet;
use std::net::TcpListener;

use portcrew_testkit::process::{Signal, eventually, proc_fs, wait_dead};

use super::world::{crew, load, python};
use crate::crew::HANG;

#[test]
fn what_a_killed_worker_has_started_goes_with_it_and_the_address_is_free_after_the_crew() {
    let Some(python) = python() else { return };
    let mut crew = crew(&python, &["-w", "1", "--listen", "127.0.0.1:0"], "forks.py", &[]);
    let address = crew.address();
    crew.all_serve(1);
    let master = *crew.pids_when(1).first().unwrap();
    let below = proc_fs::children(master).unwrap();
    assert_eq!(below.len(), 1, "{below:?}");
    crew.process.signal_descendant(master, Signal::Kill).unwrap();
    assert!(wait_dead(below[0], HANG), "process {} serves on", below[0]);
    // Its successor has one as well, who answers from now on.
    let now = eventually("its successor", HANG, || {
        let masters = crew.pids();
        let below: BTreeSet<_> =
            masters.iter().flat_map(|it| proc_fs::children(*it).ok()).flatten().collect();
        (masters.len() == 1 && below.len() == 1).then_some(below)
    });
    let report = load(address).requests(10).run();
    report.assert_all_ok();
    assert!(report.by_worker.keys().all(|it| now.contains(&it.parse().unwrap())), "{report}");
    let master = *crew.pids_when(1).first().unwrap();
    crew.process.signal_descendant(master, Signal::Kill).unwrap();
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    // It was killed with its group, and the kernel takes its time to end it: it is no child that the crew could await.
    for process in now {
        assert!(wait_dead(process, HANG), "process {process} holds the address");
    }
    TcpListener::bind(address).expect("nobody holds it any more");
}
