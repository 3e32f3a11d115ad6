//! A worker refuses every connection: nobody is lost while another takes them, and nobody is offered for ever.

use portcrew_testkit::faults::{Client, Fate, Kind};
use portcrew_testkit::http::Load;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

#[test]
fn what_one_refuses_another_answers() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(SERVER).env("LANE", lane));
        let address = crew.fork(1);
        crew.tell(&format!("program {ROGUE} refuser"));
        crew.fork(1);
        let report = Load::new(address).clients(16).requests(500).per_try_timeout(HANG).run();
        report.assert_all_ok();
        let counts = crew.settled_counts();
        assert_eq!((counts.accepted, counts.taken), (500, 500));
        assert!(crew.snapshot()["offered_again"].as_u64() > Some(0));
    }
}

#[test]
fn what_everybody_refuses_is_closed_and_counted() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(ROGUE).arg("refuser").env("LANE", lane));
        let address = crew.fork(2);
        let client = Client::connect(Kind::Plain, address).unwrap();
        assert_eq!(client.fate(HANG), Fate::Nothing);
        let counts = crew.settled_counts();
        assert_eq!((counts.accepted, counts.closed["all_refused"]), (1, 1));
        // `Limits::refusals`.
        assert_eq!(crew.snapshot()["offered_again"], 64);
    }
}
