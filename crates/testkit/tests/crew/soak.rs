//! Restarts by the hundred: afterwards the primary has what it had before, and is no larger.

use std::net::SocketAddr;

use portcrew_testkit::http::Load;
use portcrew_testkit::ledger::Ledger;
use portcrew_testkit::process::{Signal, proc_fs, signal_child};

use crate::support::{Crew, HANG, SERVER, primary, scaled};

const WORKERS: usize = 4;

/// Before anything is weighed: what is allocated once is there then.
const WARM_UP: u64 = 50;

/// The primary may be so much larger, in bytes.
const GROWTH: u64 = 1 << 20;

#[test]
fn restarts_leave_no_descriptor_no_zombie_and_no_memory() {
    let program = primary(SERVER).env("RESPAWN", "1").env("FORGET", "1");
    let mut crew = Crew::start(program);
    let address = crew.fork(WORKERS);
    restart(&mut crew, address, WARM_UP);
    let (pid, open) = (crew.pid(), proc_fs::fd_count(crew.pid()).unwrap());
    let weight = proc_fs::memory(pid).unwrap().rss;
    restart(&mut crew, address, scaled(200, 100_000));
    crew.assert_fds(open);
    let children = proc_fs::children(pid).unwrap();
    let zombies = children.iter().filter(|child| proc_fs::state(**child).is_ok_and(|it| it == 'Z'));
    assert_eq!((children.len(), zombies.count()), (WORKERS, 0));
    let grown = proc_fs::memory(pid).unwrap().rss.saturating_sub(weight);
    assert!(grown < GROWTH, "the primary has grown by {grown} bytes");
    crew.assert_no_panic();
}

/// Kills the oldest worker so many times, under load, and holds the books against each other.
fn restart(crew: &mut Crew, address: SocketAddr, times: u64) {
    let first = crew.settled_counts();
    let load = Load::new(address).clients(8).per_try_timeout(HANG).background();
    for _ in 0..times {
        let victim = crew.next("fork")["pid"].as_u64().unwrap();
        signal_child(crew.pid(), u32::try_from(victim).unwrap(), Signal::Kill).unwrap();
        crew.next("listening");
    }
    load.wait_answered(10, HANG);
    let report = load.finish();
    let counts = crew.settled_counts().since(&first);
    assert_eq!(report.hung() + report.refused, 0, "{report}");
    let ledger = Ledger::new(counts).with(&report);
    let inside = ledger.inside();
    ledger.allow_failures(inside).assert_balanced();
}
