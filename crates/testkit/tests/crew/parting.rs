//! A worker closes a part of its channel or lane and keeps the rest: it serves nobody any more, nobody loses anything,
//! and in a crew it is replaced though it lives on.

use serde_json::json;

use crate::hostile::beside_good_workers;
use crate::support::{Crew, HANG, ROGUE, primary};

#[test]
fn the_channel_for_writing() {
    beside_good_workers("half-channel");
}

#[test]
fn the_channel_in_the_middle_of_a_message_that_has_a_descriptor() {
    beside_good_workers("cut-frame");
}

#[test]
fn the_lane_for_writing() {
    beside_good_workers("half-lane");
}

#[test]
fn the_lane_alone() {
    beside_good_workers("no-lane");
}

#[test]
fn the_channel_alone() {
    beside_good_workers("no-channel");
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
