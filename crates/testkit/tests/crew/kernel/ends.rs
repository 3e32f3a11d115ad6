//! A worker that shuts its own socket down (shutdown(2)), which ends it for the primary too.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::eventually;

use super::rust;
use crate::support::{Crew, HANG, ROGUE, listening_sockets};

#[test]
fn a_socket_that_its_worker_shuts_down_listens_again_and_all_are_served() {
    let mut crew = Crew::start(rust());
    let address = crew.fork(2);
    crew.tell(&format!("program {ROGUE} shuts"));
    crew.fork(1);
    for round in 0..5 {
        crew.tell("send 3 \"now\"");
        crew.next("flipped");
        // Those that follow one another are one piece of news.
        if round == 0 {
            let error = crew.next("error");
            assert!(error["error"].as_str().unwrap().contains("shut down"), "{error}");
        }
        eventually("all three listen on the port", HANG, || {
            let sockets = listening_sockets(crew.pid());
            (sockets.iter().filter(|it| it.0 == address).count() == 3).then_some(())
        });
        let load = Load::new(address).clients(8).requests(100).per_try_timeout(HANG);
        load.run().assert_all_ok();
    }
}
