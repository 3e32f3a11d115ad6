//! More descriptors are in flight than the user may have there (ETOOMANYREFS): what is offered waits, and is lost to
//! nobody.

use std::path::Path;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually, proc_fs};

use crate::stage::Stage;
use crate::support::{Crew, HANG, PRIMARY, SERVER, listening_sockets};

/// A user that nobody else here is: the limit is the user's.
const USER: &str = "54321";

const CLIENTS: usize = 60;

/// What a worker is offered at once, by lane or channel.
const WINDOW: u64 = 16;

/// Questions asked while nothing may move.
const QUESTIONS: usize = 100;

#[test]
fn too_many_in_flight_for_an_unprivileged_user_is_waited_for() {
    let Some(stage) = Stage::set() else { return };
    let primary = stage.copy(PRIMARY);
    let server = stage.copy(SERVER);
    for lane in ["1", "0"] {
        waits(&stage, [&primary, &server], lane);
    }
}

fn waits(stage: &Stage, command: [&Path; 2], lane: &str) {
    let mut crew = Crew::start(stage.run_as(USER, &command).env("LANE", lane));
    let address = crew.fork(3);
    let workers = proc_fs::children(crew.pid()).unwrap();
    let all = |signal| {
        for worker in &workers {
            crew.process.signal_descendant(*worker, signal).unwrap();
        }
    };
    all(Signal::Stop);
    // All at once: a worker that is seen to be slow would be offered one at a time.
    crew.process.signal(Signal::Stop);
    let load = Load::new(address).clients(CLIENTS).requests(CLIENTS as u64);
    let load = load.per_try_timeout(HANG).background();
    eventually("all wait in the kernel", HANG, || {
        let waiting = listening_sockets(crew.pid()).iter().map(|it| it.1).sum::<usize>();
        (waiting == CLIENTS).then_some(())
    });
    crew.process.signal(Signal::Cont);
    eventually("the windows are full", HANG, || {
        (crew.snapshot()["offered"] == 3 * WINDOW).then_some(())
    });
    // Fewer than the two others still have in flight.
    stage.limit(USER, crew.pid(), "nofile", "20");
    crew.process.signal_descendant(workers[0], Signal::Cont).unwrap();
    eventually("one has answered", HANG, || (crew.snapshot()["taken"] == WINDOW).then_some(()));
    for _ in 0..QUESTIONS {
        assert_eq!(crew.snapshot()["taken"], WINDOW, "lane {lane}: nothing more can be sent");
    }
    for worker in &workers[1..] {
        crew.process.signal_descendant(*worker, Signal::Cont).unwrap();
    }
    stage.limit(USER, crew.pid(), "nofile", "1000");
    load.finish().assert_all_ok();
    let counts = crew.settled_counts();
    assert_eq!((counts.accepted, counts.taken), (CLIENTS as u64, CLIENTS as u64));
    crew.assert_no_panic();
}
