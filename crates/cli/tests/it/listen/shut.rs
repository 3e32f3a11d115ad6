//! A program that shuts its listening socket down when it ends: that is done to all who have it, its successor too.

use portcrew_testkit::process::{Signal, eventually};

use super::world::{crew, load, python};
use crate::crew::HANG;

#[test]
fn the_successor_of_one_that_shut_its_socket_down_serves_from_it() {
    let Some(python) = python() else { return };
    // Where it is one socket, all who accept from it end with an error; else that one alone.
    for (policy, victims) in [("shared", 1), ("kernel", 3)] {
        let options = ["-w", "3", "--policy", policy, "--listen", "127.0.0.1:0"];
        let crew = crew(&python, &options, "shuts.py", &[]);
        // Before that the signal would end them by itself, and nothing would be shut down.
        crew.all_serve(3);
        for victim in crew.pids_when(3).into_iter().take(victims) {
            crew.process.signal_descendant(victim, Signal::Usr1).unwrap();
            eventually("its successor", HANG, || {
                let now = crew.pids();
                (now.len() == 3 && !now.contains(&victim)).then_some(())
            });
        }
        crew.pids_when(3);
        let report = load(crew.address()).requests(60).run();
        report.assert_all_ok();
    }
}
