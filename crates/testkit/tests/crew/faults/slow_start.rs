//! A worker is slow to start: it is offered nothing before it listens, and the others serve.

use portcrew_testkit::http::Load;

use crate::support::{Crew, ROGUE, SERVER, primary};

#[test]
fn who_does_not_listen_yet_is_offered_nothing() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(SERVER).env("LANE", lane));
        let address = crew.fork(1);
        crew.tell(&format!("program {ROGUE} stands starting"));
        crew.tell("fork 2");
        for _ in 0..2 {
            crew.next("at");
        }
        let report = Load::new(address).clients(32).requests(500).run();
        report.assert_all_ok();
        let snapshot = crew.snapshot();
        let taken: Vec<_> =
            (0..3).map(|worker| snapshot["workers"][worker]["taken"].as_u64().unwrap()).collect();
        assert_eq!(taken, [500, 0, 0]);
        assert_eq!(snapshot["offered_again"], 0, "{snapshot}");
        assert_eq!(snapshot["listeners"][0]["holders"], 1);
    }
}
