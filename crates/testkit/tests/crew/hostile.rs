//! A worker sends what no worker may send: it is closed, and nobody else notices.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;
use serde_json::json;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

/// Plays `part` beside two good workers under load; returns the crew afterwards.
pub(crate) fn beside_good_workers(part: &str) -> Crew {
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
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
    crew.settled_counts();
    crew.assert_fds(before);
    crew.assert_no_panic();
    crew
}

fn is_closed_for_misbehaving(part: &str) -> Crew {
    let crew = beside_good_workers(part);
    assert_eq!(crew.next("misbehaved")["worker"], 3);
    crew
}

#[test]
fn garbage_on_the_channel() {
    is_closed_for_misbehaving("garbage");
}

#[test]
fn a_line_without_end() {
    let crew = beside_good_workers("huge");
    // Of a GiB it has kept no more than the longest line, and as much again while its buffer grew.
    let peak = proc_fs::peak_rss(crew.pid()).unwrap() >> 20;
    println!("{peak} MiB at most");
    assert!(peak < 48, "{peak} MiB");
}

#[test]
fn a_hundred_thousand_open_brackets() {
    is_closed_for_misbehaving("brackets");
}

#[test]
fn internal_commands_that_nobody_knows() {
    is_closed_for_misbehaving("unknown");
}

#[test]
fn words_of_the_cluster_that_nobody_knows() {
    is_closed_for_misbehaving("acts");
}

#[test]
fn listeners_that_it_never_asked_for_and_the_end_of_those_that_others_have() {
    let mut crew = beside_good_workers("listeners");
    let listeners = crew.snapshot()["listeners"].clone();
    assert_eq!(listeners.as_array().map(Vec::len), Some(1), "{listeners}");
    assert_eq!(listeners[0]["holders"], 2);
}

#[test]
fn answers_for_connections_of_others_and_of_the_future() {
    let mut crew = is_closed_for_misbehaving("forged");
    assert!(crew.snapshot()["stray_answers"].as_u64() > Some(100));
}

#[test]
fn questions_whose_answers_are_never_read() {
    is_closed_for_misbehaving("questions");
}

#[test]
fn descriptors_where_none_belong() {
    is_closed_for_misbehaving("sockets");
}

#[test]
fn garbage_on_the_lane() {
    beside_good_workers("lane-garbage");
}

#[test]
fn descriptors_on_the_lane() {
    beside_good_workers("lane-sockets");
}

#[test]
fn an_answer_given_twice_counts_once() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(ROGUE).arg("twice").env("LANE", lane));
        crew.tell("fork");
        let address = crew.listening(1);
        let report = Load::new(address).requests(60).run();
        assert_eq!(report.failures(), 60, "{report}");
        let counts = crew.settled_counts();
        assert_eq!((counts.accepted, counts.taken), (60, 60));
        assert_eq!(crew.snapshot()["stray_answers"], 60);
    }
}

#[test]
fn a_worker_that_never_stops_telling_of_ends_is_not_closed_for_it_and_others_are_served() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    crew.tell(&format!("program {ROGUE} lane-flood"));
    crew.tell("fork");
    crew.process.wait_line(|line| line == "READY", HANG);
    Load::new(address).clients(8).requests(500).per_try_timeout(HANG).run().assert_all_ok();
    crew.settled_counts();
    crew.tell("kill 3 SIGKILL");
    assert_eq!(crew.next("exit")["signal"], 9, "it was never closed for it");
}

#[test]
fn a_worker_that_never_stops_talking_delays_nobody_else() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    crew.tell(&format!("program {ROGUE} flood"));
    crew.tell("fork");
    crew.process.wait_line(|line| line == "READY", HANG);
    let thousands = || crew.process.lines().iter().filter(|it| it.text == "A THOUSAND").count();
    let before = thousands();
    let report = Load::new(address).clients(8).requests(500).run();
    report.assert_all_ok();
    // Between two answers the primary reads a share of the flood, and not what one turn of the runtime could hold.
    let read = thousands() - before;
    println!("{read},000 lines of the flood were read while 500 requests were answered");
    assert!(read < 500, "{read},000 lines for 500 answers");
    crew.tell("kill 3 SIGKILL");
    crew.next("exit");
}
