//! More comes than there is room for: what is held is bounded, the rest waits in the kernel or is shed and counted, and
//! those who steer and supervise go on.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::ledger::PrimaryCounts;
use portcrew_testkit::process::{Signal, eventually, proc_fs};
use rustix::process::{Resource, getrlimit};
use serde_json::Value;

use crate::starved::{limit, starve};
use crate::support::{Crew, HANG, SERVER, primary};

/// What a primary holds at most for one listener.
const HELD: u64 = 256;

/// Time in which the kernel tries again five times or six what it has dropped: it doubles the pauses.
const RETRIES: Duration = Duration::from_secs(120);

fn connect(address: SocketAddr, count: u64) -> Vec<TcpStream> {
    (0..count).map(|_| TcpStream::connect(address).unwrap()).collect()
}

fn shed(snapshot: &Value) -> u64 {
    snapshot["closed"]["shed"].as_u64().unwrap()
}

/// The only worker stands still.
fn stop_worker(crew: &Crew) -> u32 {
    let worker = proc_fs::children(crew.pid()).unwrap()[0];
    crew.process.signal_descendant(worker, Signal::Stop).unwrap();
    worker
}

#[test]
fn what_finds_the_queue_full_is_shed_and_everybody_else_is_served() {
    let mut crew = Crew::start(primary(SERVER).env("SHED", "1"));
    let address = crew.fork(1);
    let worker = stop_worker(&crew);
    let load = Load::new(address).clients(600).requests(600).per_try_timeout(HANG).background();
    // What does not wait is offered: at most as many as a window has.
    eventually("nobody waits in the kernel", HANG, || {
        let counts: PrimaryCounts = serde_json::from_value(crew.snapshot()).unwrap();
        assert!(counts.is_conserved() && counts.held <= HELD, "{counts:?}");
        (counts.accepted == 600).then_some(())
    });
    let were_shed = shed(&crew.snapshot());
    assert!((600 - HELD - 16..=600 - HELD).contains(&were_shed), "{were_shed} were shed");
    crew.process.signal_descendant(worker, Signal::Cont).unwrap();
    let report = load.finish();
    assert_eq!((report.ok, report.failures()), (600 - were_shed, were_shed), "{report}");
    assert_eq!(report.hung() + report.refused + report.partial, 0, "{report}");
    assert_eq!(crew.settled_counts().taken, 600 - were_shed);
}

#[test]
fn unless_it_is_asked_for_nothing_is_shed() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(1);
    let worker = stop_worker(&crew);
    let load = Load::new(address).clients(400).requests(400).per_try_timeout(HANG).background();
    eventually("the queue is full", HANG, || (crew.snapshot()["held"] == HELD).then_some(()));
    crew.process.signal_descendant(worker, Signal::Cont).unwrap();
    eventually("all are answered", HANG, || (load.answered() == 400).then_some(()));
    load.finish().assert_all_ok();
    assert_eq!(shed(&crew.snapshot()), 0);
}

/// A crew whose primary can open nothing more but what it has kept, under clients that go on to come.
fn starved(crew: &mut Crew, address: SocketAddr) -> portcrew_testkit::http::Background {
    starve(crew.pid());
    let load = Load::new(address)
        .clients(300)
        .per_try_timeout(HANG)
        .time_limit(Duration::from_secs(120))
        .background();
    eventually("accepting fails", HANG, || {
        (crew.snapshot()["accept_failures"].as_u64() > Some(0)).then_some(())
    });
    load
}

#[test]
fn without_descriptors_workers_are_reaped_and_replaced_and_afterwards_everybody_is_served() {
    let mut crew = Crew::start(primary(SERVER).env("RESPAWN", "1"));
    let address = crew.fork(3);
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    let load = starved(&mut crew, address);
    for _ in 0..6 {
        let worker = proc_fs::children(crew.pid()).unwrap()[0];
        crew.process.signal_descendant(worker, Signal::Kill).unwrap();
        let exit = crew.next("exit");
        assert_eq!(exit["signal"], 9, "{exit}");
        // It can be talked to, and does not lose sight of anybody.
        let counts: PrimaryCounts = serde_json::from_value(crew.snapshot()).unwrap();
        assert!(counts.is_conserved(), "{counts:?}");
        crew.next("listening");
    }
    limit(crew.pid(), None);
    load.wait_answered(600, HANG);
    let report = load.finish();
    assert_eq!(report.hung() + report.refused + report.partial, 0, "{report}");
    crew.settled_counts();
    crew.assert_fds(before);
    crew.assert_no_panic();
}

#[test]
fn what_is_shed_without_descriptors_is_counted_to_the_last() {
    let mut crew = Crew::start(primary(SERVER).env("SHED", "1"));
    let address = crew.fork(2);
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    let before = crew.settled_counts();
    let load = starved(&mut crew, address);
    eventually("some are shed", HANG, || (shed(&crew.snapshot()) > 300).then_some(()));
    limit(crew.pid(), None);
    load.wait_answered(300, HANG);
    let report = load.finish();
    let counts = crew.settled_counts().since(&before);
    assert_eq!(counts.accepted, report.connections, "{report}");
    assert_eq!(counts.taken, report.ok, "{report}");
    assert_eq!(counts.closed["shed"], report.failures(), "{report}");
    assert_eq!(report.hung() + report.refused + report.partial, 0, "{report}");
}

#[test]
fn a_stopped_worker_whose_channel_is_full_loses_nothing() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(SERVER).env("LANE", lane));
        let address = crew.fork(1);
        let worker = stop_worker(&crew);
        // More than a channel takes, and less than a user may leave unsent.
        let text = "x".repeat(16 * 1024);
        for _ in 0..40 {
            crew.tell(&format!("send 1 \"{text}\""));
        }
        let load = Load::new(address).clients(200).requests(200).per_try_timeout(HANG).background();
        eventually("they wait", HANG, || {
            let counts: PrimaryCounts = serde_json::from_value(crew.snapshot()).unwrap();
            (counts.accepted == 200).then_some(())
        });
        crew.process.signal_descendant(worker, Signal::Cont).unwrap();
        load.finish().assert_all_ok();
        assert_eq!(crew.settled_counts().taken, 200, "lane {lane}");
    }
}

#[test]
fn thousands_that_reset_before_they_are_accepted_are_taken_or_closed_and_all_counted() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    for _ in 0..5_000 {
        let client = TcpStream::connect(address).unwrap();
        // Zero seconds: the close is a reset.
        rustix::net::sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    }
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    let counts = crew.settled_counts();
    assert!(counts.is_conserved() && counts.accepted <= 5_100, "{counts:?}");
    assert!(counts.accepted >= 100, "{counts:?}");
    crew.assert_no_panic();
}

#[test]
fn thousands_of_silent_clients_keep_nobody_else_waiting() {
    // Each has a descriptor here, and one in a worker.
    let room = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let many = (room / 4).min(2_000);
    for program in [primary(SERVER), primary(SERVER).env("STICKY", "x-none")] {
        let mut crew = Crew::start(program);
        let address = crew.fork(2);
        let silent = connect(address, many);
        Load::new(address).clients(8).requests(200).per_try_timeout(HANG).run().assert_all_ok();
        let snapshot = crew.snapshot();
        let held = snapshot["held"].as_u64().unwrap();
        assert!(held <= HELD, "{snapshot}");
        drop(silent);
        let counts = crew.settled_counts();
        assert!(counts.is_conserved() && counts.accepted == many + 200, "{counts:?}");
        crew.assert_no_panic();
    }
}

#[test]
fn a_backlog_that_overflows_is_counted_and_all_are_served_in_the_end() {
    let mut crew = Crew::start(primary(SERVER).env("BACKLOG", "8"));
    let address = crew.fork(1);
    crew.process.signal(Signal::Stop);
    let load = Load::new(address).clients(40).requests(40);
    let load = load.per_try_timeout(RETRIES).time_limit(RETRIES).background();
    eventually("the queue is full", HANG, || {
        let sockets = crate::support::listening_sockets(crew.pid());
        sockets.iter().any(|(at, waiting)| *at == address && *waiting == 9).then_some(())
    });
    // Those that found it full have been dropped by then, and try again.
    crew.process.signal(Signal::Cont);
    eventually("all are answered", RETRIES, || (load.answered() == 40).then_some(()));
    load.finish().assert_all_ok();
    assert_eq!(crew.settled_counts().taken, 40);
    // Of 40 at least one found 9 others; usually 31 do, and some more than once.
    let dropped = crew.snapshot()["listeners"][0]["dropped"].as_u64();
    assert!(dropped > Some(0), "{dropped:?}");
}

#[test]
fn who_is_shed_reads_the_end_of_the_connection() {
    let mut crew = Crew::start(primary(SERVER).env("SHED", "1"));
    let address = crew.fork(1);
    crew.settled_counts();
    starve(crew.pid());
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    assert_eq!(client.read(&mut [0; 16]).unwrap(), 0);
    assert_eq!(shed(&crew.snapshot()), 1);
    limit(crew.pid(), None);
    Load::new(address).clients(4).requests(50).run().assert_all_ok();
}
