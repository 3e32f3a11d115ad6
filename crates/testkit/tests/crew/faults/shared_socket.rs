//! Workers share a listening socket, and one of them does to it what is done to all.

use portcrew_testkit::faults::{Client, Fate, Kind};
use portcrew_testkit::http::Load;
use portcrew_testkit::process::{eventually, proc_fs};

use crate::support::{Crew, HANG, ROGUE, SERVER, listening_sockets, primary, scaled};

fn shared(good: usize, part: &str) -> (Crew, std::net::SocketAddr) {
    let program = primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", "none");
    let mut crew = Crew::start(program);
    let address = crew.fork(good);
    crew.tell(&format!("program {ROGUE} {part}"));
    crew.fork(1);
    (crew, address)
}

#[test]
fn a_mode_that_one_changes_for_all_keeps_the_primary_from_nothing() {
    let (mut crew, address) = shared(2, "flips");
    for _ in 0..10 {
        crew.next("flipped");
        // It obeys at once, and serves nobody itself.
        crew.snapshot();
    }
    Load::new(address).clients(8).requests(scaled(200, 5_000)).run().assert_all_ok();
    crew.tell("kill 3 SIGKILL");
    crew.next("exit");
    Load::new(address).clients(8).requests(200).run().assert_all_ok();
}
