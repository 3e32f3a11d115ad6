//! What people and programs read of a worker that hangs.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, Stream};
use portcrew_testkit::require_node;
use serde_json::Value;

use crate::crew::{Crew, HANG, portcrew};
use crate::home::{Home, normal};

const OPTIONS: [&str; 2] = ["--answer-within", "1s"];

#[test]
fn a_worker_that_hangs_is_told_of_with_what_it_was_doing_its_last_lines_and_what_comes_of_it() {
    let _node = require_node!();
    let home = Home::new();
    let script = fixture("hang.js");
    let args = [&["run", "--name", "api", "-w", "1"], &OPTIONS[..], &[script.to_str().unwrap()]];
    let crew = Crew { process: home.program(&args.concat()).start() };
    let address = crew.serving(1);
    let worker = *crew.pids().first().unwrap();
    crew.process.signal_descendant(worker, Signal::Stop).unwrap();
    let load = Load::new(address).requests(1).per_try_timeout(HANG).background();
    let hangs = crew.says("worker 1 hangs: it left a connection unanswered for 1").text;
    assert!(hangs.contains("; it is stopped (SIGSTOP) ("), "{hangs}");
    crew.says("Only SIGKILL can end it, and it gets that; its last lines");
    crew.says("  LISTENING");
    crew.says("a worker left a connection unanswered for 1");
    load.finish().assert_all_ok();
    crew.says("worker 1 was ended by SIGKILL");
    let why = home.json(&["why", "--json", "api"]);
    let chain = why["crews"][0]["chain"].as_array().unwrap();
    assert_eq!((chain.len(), &chain[0]["pid"]), (1, &worker.into()), "{chain:?}");
    let text = normal(&home.ask(&["why", "api"]).stdout, &home);
    let told = "AGE ago  worker 1 (slot 0, pid PID) hangs: it left a connection unanswered for AGE; it is stopped (SIGSTOP)";
    assert!(text.contains(told), "{text}");
    assert!(text.contains("a new one started after AGE\n| LISTENING 127.0.0.1:PORT\n"), "{text}");
}

#[test]
fn a_program_reads_the_same_as_an_event() {
    let _node = require_node!();
    let program =
        portcrew("run").args(["-w", "1", "--events", "--hang-signal", "ABRT"]).args(OPTIONS);
    let crew = Crew { process: program.arg(fixture("hang.js")).start() };
    let address = crew.address();
    let inside = Load::new(address).path("/spin").requests(1).per_try_timeout(HANG).background();
    crew.process.wait_line(|line| line.contains("SPINS"), HANG);
    let load = Load::new(address).requests(1).per_try_timeout(HANG).background();
    crew.says("It gets SIGABRT");
    load.finish().assert_all_ok();
    assert_eq!(inside.finish().failures(), 1);
    crew.process.wait_line(|line| line.contains("\"event\":\"exit\""), HANG);
    let events = crew.process.lines().into_iter().filter(|line| line.stream == Stream::Out);
    let events: Vec<Value> = events.filter_map(|it| serde_json::from_str(&it.text).ok()).collect();
    let of = |kind: &str| events.iter().find(|it| it["event"] == kind);
    let hangs = of("hangs").unwrap();
    assert_eq!((&hangs["worker"], &hangs["found"]), (&1.into(), &"able".into()), "{hangs}");
    let reason = hangs["reason"].as_str().unwrap();
    assert!(reason.starts_with("left a connection unanswered for 1"), "{reason}");
    assert_eq!(hangs["doing"]["state"], "running");
    assert!(hangs["doing"]["cpu_percent"].is_u64(), "{hangs}");
    assert!(
        hangs["output"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it.as_str().unwrap().starts_with("SPINS"))
    );
    assert_eq!(of("exit").unwrap()["signal"], "SIGABRT");
}
