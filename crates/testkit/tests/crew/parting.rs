//! A worker closes a part of its channel or lane and keeps the rest: it serves nobody any more, nobody loses anything,
//! and in a crew it is replaced though it lives on.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;
use serde_json::json;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

/// Plays `part` beside two good workers under load.
fn harms_nobody(part: &str) {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    Load::new(address).clients(8).requests(100).run().assert_all_ok();
    crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    let load = Load::new(address).clients(8).per_try_timeout(HANG).background();
    crew.tell(&format!("program {ROGUE} {part}"));
    crew.tell("fork");
    crew.process.wait_line(|line| line == "CLOSED", HANG);
    let exit = crew.next("exit");
    assert_eq!((&exit["worker"], &exit["code"]), (&json!(3), &json!(0)));
    crew.next_where("disconnect", |event| event["worker"] == 3);
    let answered = load.answered();
    load.wait_answered(answered + 100, HANG);
    load.finish().assert_all_ok();
    crew.settled_counts();
    crew.assert_fds(before);
    crew.assert_no_panic();
}

#[test]
fn the_channel_for_writing() {
    harms_nobody("half-channel");
}

#[test]
fn the_channel_in_the_middle_of_a_message_that_has_a_descriptor() {
    harms_nobody("cut-frame");
}

#[test]
fn the_lane_for_writing() {
    harms_nobody("half-lane");
}

#[test]
fn the_lane_alone() {
    harms_nobody("no-lane");
}

#[test]
fn the_channel_alone() {
    harms_nobody("no-channel");
}

#[test]
fn in_a_crew_whoever_lives_on_after_that_is_ended_and_replaced() {
    for part in ["half-channel", "cut-frame", "half-lane", "no-lane", "no-channel"] {
        let mut crew = Crew::start(primary(ROGUE).arg(part).arg("stay").env("GRACE_MS", "100"));
        crew.tell("start 1");
        crew.process.wait_line(|line| line == "CLOSED", HANG);
        let exit = crew.next("exit");
        assert_eq!((&exit["worker"], &exit["signal"]), (&json!(1), &json!(15)), "{part}");
        crew.next_where("listening", |event| event["worker"] == 2);
    }
}
