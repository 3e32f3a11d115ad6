//! `--policy kernel`: each worker is started with a socket of its own, over which the kernel spreads connections.

use portcrew_testkit::process::{Signal, eventually, proc_fs};

use super::world::{crew, load, python};
use crate::crew::HANG;

/// `PORTCREW_SOAK=1`: as many as are promised.
fn kills() -> u32 {
    if std::env::var_os("PORTCREW_SOAK").is_some_and(|it| it == "1") { 100 } else { 5 }
}

#[test]
fn each_worker_has_a_socket_of_its_own_and_its_share() {
    let Some(python) = python() else { return };
    let options = ["-w", "4", "--policy", "kernel", "--listen", "127.0.0.1:0"];
    let crew = crew(&python, &options, "prefork.py", &[]);
    let pids = crew.pids_when(4);
    let socket =
        |pid: &u32| proc_fs::fds(*pid).unwrap().into_iter().find(|it| it.0 == 3).unwrap().1;
    let sockets: std::collections::BTreeSet<_> = pids.iter().map(socket).collect();
    assert_eq!(sockets.len(), 4, "{sockets:?}");
    // A process is there a moment before connections are steered to its socket.
    eventually("answers of all four", HANG, || {
        let report = load(crew.address()).requests(400).run();
        report.assert_all_ok();
        (report.by_worker.len() == 4).then_some(())
    });
}

#[test]
fn workers_that_are_killed_under_load_cost_what_they_had_and_nobody_is_refused() {
    let Some(python) = python() else { return };
    let options = ["-w", "4", "--policy", "kernel", "--listen", "127.0.0.1:0"];
    let crew = crew(&python, &options, "prefork.py", &[]);
    let load = load(crew.address()).clients(8).background();
    for _ in 0..kills() {
        load.wait_answered(50, HANG);
        let before = crew.pids_when(4);
        let victim = *before.first().unwrap();
        crew.process.signal_descendant(victim, Signal::Kill).unwrap();
        eventually("its successor", HANG, || {
            let now = crew.pids();
            (now.len() == 4 && !now.contains(&victim)).then_some(())
        });
    }
    load.wait_answered(50, HANG);
    let report = load.finish();
    // One request at a time is inside of such a worker.
    let inside = report.reset + report.eof_without_answer + report.partial;
    assert_eq!(report.failures(), inside, "{report}");
    assert!(inside <= u64::from(kills()), "{report}");
    eprintln!(
        "{} kills, {} answered, {} refused, {inside} inside",
        kills(),
        report.ok,
        report.refused
    );
}

#[test]
fn a_reload_and_a_smaller_crew_lose_nothing() {
    let Some(python) = python() else { return };
    let options = ["-w", "3", "--policy", "kernel", "--listen", "127.0.0.1:0"];
    let crew = crew(&python, &options, "prefork.py", &[]);
    let load = load(crew.address()).clients(8).background();
    load.wait_answered(50, HANG);
    let before = crew.pids_when(3);
    crew.process.signal(Signal::Hup);
    eventually("all are others", HANG, || {
        let now = crew.pids();
        (now.len() == 3 && now.is_disjoint(&before)).then_some(())
    });
    load.wait_answered(50, HANG);
    crew.process.signal(Signal::Ttou);
    crew.pids_when(2);
    load.wait_answered(50, HANG);
    load.finish().assert_all_ok();
}
