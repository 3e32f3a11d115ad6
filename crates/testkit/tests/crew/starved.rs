//! No descriptor is left. The primary rests, does not spin, and serves everybody afterwards; what a worker cannot
//! receive, another one gets.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, eventually, proc_fs};
use portcrew_testkit::require_node;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{Crew, HANG, SERVER, primary};

/// Questions asked while the primary rests. One that spins fails to accept at least once between two.
const QUESTIONS: u64 = 300;

/// Lets it open nothing more. The limit is one of numbers, and a hole below it could still be filled: the lowest
/// free number.
pub(crate) fn starve(pid: u32) {
    let open = proc_fs::fds(pid).unwrap();
    let free = (0..).find(|number| open.iter().all(|(fd, _)| fd != number)).unwrap();
    limit(pid, Some(u64::from(free)));
}

pub(crate) fn limit(pid: u32, descriptors: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let current = descriptors.or(maximum);
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

#[test]
fn without_descriptors_it_rests_and_then_answers_everybody() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    starve(crew.pid());
    let load = Load::new(address).clients(64).per_try_timeout(HANG).background();
    let failures = |crew: &mut Crew| crew.snapshot()["accept_failures"].as_u64().unwrap();
    let first = eventually("accepting fails", HANG, || {
        Some(failures(&mut crew)).filter(|count| *count > 0)
    });
    crew.next("error");
    let mut last = first;
    for _ in 0..QUESTIONS {
        last = failures(&mut crew);
    }
    assert!(last - first < QUESTIONS / 5, "{} failures over {QUESTIONS} questions", last - first);
    limit(crew.pid(), None);
    load.wait_answered(200, HANG);
    load.finish().assert_all_ok();
    crew.settled_counts();
    crew.assert_fds(before);
}

#[test]
fn what_a_worker_without_descriptors_cannot_receive_another_one_gets() {
    another_one_gets([primary(SERVER), primary(SERVER).env("LANE", "0")]);
}

#[test]
fn what_a_node_worker_without_descriptors_cannot_receive_another_one_gets() {
    let node = require_node!();
    another_one_gets([primary(node.path()).arg(fixture("hello.js"))]);
}

fn another_one_gets(programs: impl IntoIterator<Item = Program>) {
    for program in programs {
        let mut crew = Crew::start(program);
        let address = crew.fork(2);
        Load::new(address).clients(8).requests(100).run().assert_all_ok();
        crew.settled_counts();
        let worker = proc_fs::children(crew.pid()).unwrap()[0];
        starve(worker);
        let report = Load::new(address).clients(8).requests(1_000).per_try_timeout(HANG).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.len(), 1, "{report}");
        assert!(crew.snapshot()["offered_again"].as_u64() > Some(0));
        limit(worker, None);
        let load = Load::new(address).clients(8).background();
        eventually("both serve again", HANG, || {
            let snapshot = crew.snapshot();
            let taken = |worker: usize| snapshot["workers"][worker]["taken"].as_u64();
            (taken(0) > Some(100)).then_some(())
        });
        load.finish().assert_all_ok();
    }
}
