//! Workers accept from one socket: no herd wakes up, and a death loses nothing that waits.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually, proc_fs};

use crate::support::{Crew, HANG, SERVER, listening_sockets, primary, scaled};

fn shared(workers: usize) -> (Crew, std::net::SocketAddr) {
    let program = primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", "none");
    let mut crew = Crew::start(program);
    let address = crew.fork(workers);
    (crew, address)
}

fn switches(workers: &[u32]) -> u64 {
    workers.iter().map(|pid| proc_fs::voluntary_ctxt_switches(*pid).unwrap()).sum()
}

#[test]
fn a_connection_wakes_no_herd_of_eight_idle_workers() {
    let mut crew = Crew::start(primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", "none"));
    // A crew says from the beginning how many it will be, so even the first of them waits as one of eight.
    crew.tell("start 8");
    let address = crew.listening(8);
    let workers = proc_fs::children(crew.pid()).unwrap();
    assert_eq!(workers.len(), 8);
    let connections = scaled(2_000, 20_000);
    let before = switches(&workers);
    Load::new(address).requests(connections).run().assert_all_ok();
    let switches = switches(&workers) - before;
    println!("{switches} voluntary context switches for {connections} connections");
    assert!(switches <= 3 * connections, "{switches} for {connections}");
}

#[test]
fn few_workers_and_many_serve_alike() {
    for count in [1, 4, 6] {
        let (_crew, address) = shared(count);
        Load::new(address).clients(32).requests(2_000).run().assert_all_ok();
        Load::new(address).clients(8).keep_alive(50).requests(1_000).run().assert_all_ok();
    }
}

#[test]
fn a_dead_worker_loses_nothing_that_waits_in_the_queue() {
    for count in [2, 6] {
        let (mut crew, address) = shared(count);
        let workers = proc_fs::children(crew.pid()).unwrap();
        let signal = |crew: &Crew, pid: u32, signal| {
            crew.process.signal_descendant(pid, signal).unwrap();
        };
        for worker in &workers {
            signal(&crew, *worker, Signal::Stop);
            let stopped = || (proc_fs::state(*worker).unwrap() == 'T').then_some(());
            eventually("it stops", HANG, stopped);
        }
        let load = Load::new(address).clients(40).per_try_timeout(HANG).background();
        eventually("all clients wait", HANG, || {
            (listening_sockets(crew.pid())[0].1 == 40).then_some(())
        });
        let (last, dead) = workers.split_last().unwrap();
        for worker in dead {
            signal(&crew, *worker, Signal::Kill);
            crew.next("exit");
        }
        signal(&crew, *last, Signal::Cont);
        load.wait_answered(40, HANG);
        load.finish().assert_all_ok();
        crew.tell("quit");
        assert!(crew.process.wait_exit(HANG).success());
    }
}
