//! A worker takes more memory than it may: its end is told, and what it was offered another one answers.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, proc_fs};

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

#[test]
fn a_worker_without_memory_costs_no_request() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(1);
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    let load = Load::new(address).clients(8).per_try_timeout(HANG).background();
    crew.tell(&format!("program {ROGUE} hungry"));
    for _ in 0..3 {
        crew.tell("fork");
        assert_eq!(crew.next("exit")["signal"], Signal::Abrt.number());
    }
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
    crew.settled_counts();
    crew.assert_fds(before);
}
