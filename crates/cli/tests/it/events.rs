//! `--events`: what happens in the crew, for programs.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, Stream};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::crew::{Crew, HANG, portcrew};

fn parse(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok()
}

/// Waits for the event of this kind that comes as the `count`th.
fn wait(crew: &Crew, kind: &str, count: usize) -> Value {
    let mut left = count;
    let line = crew.process.wait_line(
        |line| {
            let is_kind = parse(line).is_some_and(|event| event["event"] == kind);
            left -= usize::from(is_kind);
            left == 0
        },
        HANG,
    );
    parse(&line.text).unwrap()
}

#[test]
fn messages_of_workers_are_events_as_their_workers_wrote_them() {
    const REQUESTS: usize = 60;
    let _node = require_node!();
    let program = portcrew("run").args(["-w", "2", "--events"]);
    let mut crew = Crew { process: program.arg(fixture("count_requests.js")).arg("0").start() };
    wait(&crew, "listening", 2);
    Load::new(crew.address()).clients(4).requests(REQUESTS as u64).run().assert_all_ok();
    let last = wait(&crew, "message", REQUESTS);
    assert_eq!(last["message"], json!({ "cmd": "notifyRequest" }));
    assert_eq!(last["has_handle"], json!(false));

    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    let lines = crew.process.lines();
    let events: Vec<Value> = lines
        .iter()
        .filter(|line| line.stream == Stream::Out)
        .map(|line| parse(&line.text).unwrap_or_else(|| panic!("no JSON: {}", line.text)))
        .collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(of("message"), REQUESTS);
    for kind in ["fork", "online", "listening", "exit"] {
        assert_eq!(of(kind), 2, "{kind}: {events:?}");
    }
    assert_eq!(events[0]["event"], "setup");
    assert_eq!(events[0]["workers"], 2);
}

#[test]
fn workers_lines_go_to_stderr_when_stdout_carries_events() {
    let _node = require_node!();
    let program = portcrew("run").args(["-w", "1", "--events"]);
    let crew = Crew { process: program.arg(fixture("hello.js")).start() };
    let line = crew.process.wait_line(|line| line.starts_with("1 | LISTENING "), HANG);
    assert_eq!(line.stream, Stream::Err);
    let event = wait(&crew, "listening", 1);
    assert_eq!(event["address"].as_str(), line.text.strip_prefix("1 | LISTENING "));
}

#[test]
fn ports_that_a_program_binds_by_itself_are_said_once_and_told_for_each_worker() {
    let _node = require_node!();
    let program = portcrew("run").args(["-w", "2", "--events", "--grace", "100ms"]);
    let mut crew = Crew { process: program.arg(fixture("self_bound.js")).start() };
    wait(&crew, "self-bound", 2);
    crew.says(
        "by itself; connections are spread by the kernel (SO_REUSEPORT), --policy does not apply",
    );
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    let said = crew.said();
    let told = said.iter().filter(|line| line.contains("by itself")).count();
    assert_eq!(told, 1, "{said:?}");
}

#[test]
fn who_gets_connections_is_told_from_the_listener_on_and_counted_from_time_to_time() {
    const REQUESTS: u64 = 10;
    let _node = require_node!();
    let program = portcrew("run").args(["-w", "2", "--events", "--policy", "sticky=wait:2s"]);
    let crew = Crew { process: program.arg(fixture("hello.js")).start() };
    let policy = wait(&crew, "scheduling", 1);
    wait(&crew, "listening", 2);
    let address = crew.address();
    assert_eq!(policy["listener"], address.to_string());
    assert_eq!((&policy["news"], &policy["policy"]), (&json!("policy"), &json!("sticky")));
    assert_eq!(wait(&crew, "setup", 1)["policy"], "sticky=wait:2s");

    Load::new(address).requests(REQUESTS).run().assert_all_ok();
    let given = |event: &Value| event["news"] == "summary" && event["given"] == REQUESTS;
    let line = crew.process.wait_line(|line| parse(line).is_some_and(|it| given(&it)), HANG);
    let summary = parse(&line.text).unwrap();
    assert_eq!(summary["listener"], address.to_string());
    assert_eq!((&summary["policy"], &summary["refused"]), (&json!("sticky"), &json!(0)));
    let workers = summary["workers"].as_array().unwrap();
    let mut counts: Vec<_> = workers.iter().map(|it| it["connections"].as_u64().unwrap()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [0, REQUESTS], "one address is one client: {summary}");
}
