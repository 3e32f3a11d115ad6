//! A worker reads nothing: it is offered a bounded number of connections, is owed a bounded number of bytes, and
//! nobody else waits for it.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually, proc_fs};

use crate::support::{Crew, HANG, SERVER, primary, scaled};

/// `Limits::lane_window` and `Limits::channel_window`.
const WINDOW: u64 = 16;

fn with_a_stopped_worker(lane: &str) -> (Crew, std::net::SocketAddr) {
    let mut crew = Crew::start(primary(SERVER).env("LANE", lane));
    let address = crew.fork(3);
    let stopped = u32::try_from(crew.next("fork")["pid"].as_u64().unwrap()).unwrap();
    crew.process.signal_descendant(stopped, Signal::Stop).unwrap();
    eventually("it stops", HANG, || (proc_fs::state(stopped).unwrap() == 'T').then_some(()));
    (crew, address)
}

#[test]
fn a_stopped_worker_holds_no_more_than_a_window_and_the_rest_is_served() {
    for lane in ["1", "0"] {
        let (mut crew, address) = with_a_stopped_worker(lane);
        let load = Load::new(address).clients(64).per_try_timeout(HANG).background();
        load.wait_answered(scaled(2_000, 10_000), HANG);
        let stuck = crew.snapshot()["offered"].as_u64().unwrap();
        assert!((1..=WINDOW + 2 * WINDOW).contains(&stuck), "{stuck} offers are open");
        crew.tell("kill 1 SIGKILL");
        crew.next("exit");
        let report = load.finish();
        report.assert_all_ok();
        assert!(!report.by_worker.contains_key("1"), "{report}");
        let counts = crew.settled_counts();
        assert_eq!(counts.taken, report.ok, "{counts:?}");
    }
}

#[test]
fn messages_to_a_stopped_worker_are_refused_beyond_the_limit_and_the_rest_is_served() {
    let (mut crew, address) = with_a_stopped_worker("1");
    let message = format!("send 1 {:?}", "x".repeat(60_000));
    let send_fifty = |crew: &mut Crew| {
        for _ in 0..50 {
            crew.tell(&message);
        }
        crew.tell("state");
        crew.next("state");
    };
    let refused = eventually("one is refused", HANG, || {
        send_fifty(&mut crew);
        let lines = crew.process.lines();
        lines.into_iter().find(|line| line.text.contains("\"event\":\"failed\""))
    });
    assert!(refused.text.contains("it does not read"), "{}", refused.text);
    let resident = proc_fs::rss(crew.pid()).unwrap();
    for _ in 0..4 {
        send_fifty(&mut crew);
    }
    let grown = proc_fs::rss(crew.pid()).unwrap().saturating_sub(resident);
    assert!(grown < 6 << 20, "{grown} bytes more for 12 MB that were refused");
    // Some of them are with it.
    let load = Load::new(address).clients(64).per_try_timeout(HANG).background();
    load.wait_answered(400, HANG);
    crew.tell("kill 1 SIGKILL");
    crew.next("exit");
    load.finish().assert_all_ok();
}
