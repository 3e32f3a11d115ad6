//! `portcrew-load`: its report, its JSON and its exit statuses.

use portcrew_testkit::process::{Line, Program};
use serde_json::Value;

use crate::server::{HANG, Server};

fn run(server: &Server, args: &[&str]) -> (Option<i32>, Vec<Line>) {
    let load = Program::new(env!("CARGO_BIN_EXE_portcrew-load")).arg(server.address.to_string());
    let (status, lines) = load.args(args).start().wait_output(HANG);
    (status.code(), lines)
}

fn json(lines: &[Line]) -> Value {
    serde_json::from_str(&lines.last().unwrap().text).unwrap()
}

fn good() -> Server {
    Server::start(|mut conn, number| {
        conn.request();
        conn.answer(number % 2);
    })
}

#[test]
fn a_clean_run_prints_a_report_and_ends_with_zero() {
    let server = good();
    let (status, lines) = run(&server, &["-n", "20", "-c", "4"]);
    assert_eq!(status, Some(0));
    let text: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
    for part in ["attempts 20 in", "ok                          20", "worker 0", "p99.9"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn json_holds_every_class_and_the_share_of_each_worker() {
    let server = good();
    let (status, lines) = run(&server, &["-n", "20", "--json"]);
    let report = json(&lines);
    assert_eq!((status, &report["ok"], &report["timeout"]), (Some(0), &20.into(), &0.into()));
    assert_eq!(report["by_worker"], serde_json::json!({ "0": 10, "1": 10 }));
    assert_eq!(
        (&report["never_connected"], &report["by_generation"]),
        (&0.into(), &serde_json::json!({}))
    );
    assert!(report["latency"]["p99_us"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_failure_ends_with_one_unless_its_class_is_allowed() {
    let server = Server::start(|mut conn, _| drop(conn.request()));
    assert_eq!(run(&server, &["-n", "3"]).0, Some(1));
    assert_eq!(run(&server, &["-n", "3", "--allow", "reset"]).0, Some(1));
    let (status, lines) = run(&server, &["-n", "3", "--allow", "eof_without_answer", "--json"]);
    let report = json(&lines);
    assert_eq!((status, &report["eof_without_answer"]), (Some(0), &3.into()));
    assert_eq!(report["samples"][0]["outcome"], "eof_without_answer");
}

#[test]
fn what_the_load_may_not_do_ends_with_two() {
    let server = good();
    for args in [&["-c", "0", "-n", "1"][..], &[], &["-n", "1", "--allow", "everything"]] {
        let (status, lines) = run(&server, args);
        assert_eq!(status, Some(2), "{args:?}: {lines:?}");
    }
    let elsewhere =
        Program::new(env!("CARGO_BIN_EXE_portcrew-load")).args(["192.0.2.1:80", "-n", "1"]);
    let (status, lines) = elsewhere.start().wait_output(HANG);
    assert_eq!(status.code(), Some(2));
    assert!(lines[0].text.contains("not a loopback address"), "{lines:?}");
    assert_eq!(server.accepted(), 0);
}

#[test]
fn a_client_without_descriptors_blames_itself_and_not_the_server() {
    let server = Server::start(|conn, _| conn.hang());
    let script = format!("ulimit -n 20; exec \"$0\" {} -n 64 -c 64 --timeout 20", server.address);
    let load = env!("CARGO_BIN_EXE_portcrew-load");
    let (status, lines) = Program::new("sh").args(["-c", &script, load]).start().wait_output(HANG);
    assert_eq!(status.code(), Some(2), "{lines:?}");
    assert!(lines.iter().any(|line| line.text.contains("the client itself failed")), "{lines:?}");
}
