//! Debugging Node workers: each inspector has a port of its own, as under Node's cluster.

use std::net::Ipv4Addr;

use portcrew::{Event, InspectPort, Settings, Signal, Stdio, WorkerHandle};
use portcrew_testkit::debugger::Debugger;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::{ports, require_node};
use serde_json::{Value, json};

use crate::local::{self, Local};

/// Settings for Node workers that tell what they were started with.
fn settings(node: &Node, options: &[&str]) -> Settings {
    let mut settings = local::node(node, options, "look.js");
    // Each says there where its inspector listens.
    settings.stderr = Stdio::Null;
    settings
}

/// What a worker says of its inspector.
fn port(local: &mut Local, worker: &WorkerHandle) -> Value {
    local.message(worker.id())["debugPort"].clone()
}

/// The address in `ws://ADDRESS/id`.
fn address(report: &Value) -> &str {
    let url = report["inspector"].as_str().expect("an inspector listens");
    url.strip_prefix("ws://").unwrap().split('/').next().unwrap()
}

#[test]
fn the_inspectors_of_forked_workers_have_the_ports_behind_the_one_that_is_named() {
    let node = require_node!();
    let base = ports::free_behind(3);
    let mut local = Local::new(settings(&node, &[&format!("--inspect=127.0.0.2:{base}")]));
    for number in 1..=2 {
        let worker = local.fork();
        let report = local.message(worker.id());
        assert_eq!(address(&report), format!("127.0.0.2:{}", base + number), "the host stays");
        assert_eq!(worker.inspect_port(), Some(base + number));
    }
    // As in Node: the next one is counted on, although this one's port is free again.
    let [first, ..] = &local.cluster.workers()[..] else { panic!("two workers run") };
    first.kill(Signal::Kill);
    local.exit(first.id());
    let worker = local.fork();
    assert_eq!(port(&mut local, &worker), base + 3);
}

#[test]
fn the_options_of_the_environment_count_as_those_of_the_command_line_do() {
    let node = require_node!();
    let base = ports::free_behind(2);
    let options = format!("--no-warnings --inspect=127.0.0.1:{base}");
    let mut local = Local::new(settings(&node, &[]).env("NODE_OPTIONS", &options));
    for number in 1..=2 {
        let worker = local.fork();
        let report = local.message(worker.id());
        assert_eq!(address(&report), format!("127.0.0.1:{}", base + number));
        assert_eq!(report["env"]["NODE_OPTIONS"], options);
    }
}

#[test]
fn a_script_that_is_its_own_program_is_told_by_the_environment() {
    let node = require_node!();
    let base = ports::free_behind(2);
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("server");
    let text = format!("#!{}\nrequire({:?});\n", node.path().display(), fixture("look.js"));
    std::fs::write(&program, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let mut settings = settings(&node, &[]).env("NODE_OPTIONS", format!("--inspect={base}"));
    settings.exec = Some(program);
    settings.args.clear();
    let mut local = Local::new(settings);
    for number in 1..=2 {
        let worker = local.fork();
        assert_eq!(port(&mut local, &worker), base + number);
    }
}

#[test]
fn behind_the_highest_port_comes_1024() {
    let node = require_node!();
    // The port is only noted here: nobody listens on it before SIGUSR1.
    let mut local = Local::new(settings(&node, &["--inspect-port=65534"]));
    for expected in [65_535, 1024, 1025] {
        let worker = local.fork();
        assert_eq!(port(&mut local, &worker), expected);
    }
}

#[test]
fn with_port_zero_the_kernel_chooses_for_each() {
    let node = require_node!();
    let mut local = Local::new(settings(&node, &["--inspect=127.0.0.1:0"]));
    let mut addresses: Vec<String> = (0..2)
        .map(|_| {
            let worker = local.fork();
            assert_eq!(worker.inspect_port(), Some(0));
            address(&local.message(worker.id())).to_owned()
        })
        .collect();
    addresses.dedup();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
}

#[test]
fn a_function_or_one_port_for_all_may_be_set() {
    let node = require_node!();
    let mut settings = settings(&node, &["--inspect-port=9229"]);
    settings.inspect_port = InspectPort::by(|worker| 10_000 + u16::try_from(worker.0).unwrap());
    let mut local = Local::new(settings);
    let worker = local.fork();
    assert_eq!(port(&mut local, &worker), 10_001);
    local
        .cluster
        .setup_with(|settings| settings.inspect_port = InspectPort::Fixed(10_500))
        .unwrap();
    for _ in 0..2 {
        let worker = local.fork();
        assert_eq!(port(&mut local, &worker), 10_500);
    }
}

#[test]
fn without_a_word_of_the_inspector_there_is_no_port() {
    let node = require_node!();
    let mut settings = settings(&node, &["--no-warnings"]);
    settings.inspect_port = InspectPort::Fixed(10_500);
    settings.args.push("--inspect".into());
    let mut local = Local::new(settings);
    let worker = local.fork();
    let report = local.message(worker.id());
    assert_eq!((&report["inspector"], &report["debugPort"]), (&Value::Null, &json!(9229)));
    assert_eq!(report["args"], json!(["--inspect"]), "behind the script it is the script's");
    assert_eq!(worker.inspect_port(), None);
}

#[test]
fn the_successor_of_a_dead_worker_of_a_crew_has_its_port() {
    let node = require_node!();
    let mut local = Local::new(settings(&node, &["--inspect-port=20000"]));
    local.cluster.start(2).unwrap();
    let started = |local: &mut Local| {
        let worker = local.until(|event| match event {
            Event::Fork { process, .. } => Some(process.clone()),
            _ => None,
        });
        let port = port(local, &worker);
        (worker, port)
    };
    let (first, port) = started(&mut local);
    assert_eq!((port, started(&mut local).1), (json!(20_001), json!(20_002)));
    first.kill(Signal::Kill);
    assert_eq!(started(&mut local).1, 20_001);
}

#[test]
fn a_worker_that_waits_for_its_debugger_goes_on_when_that_says_so() {
    let node = require_node!();
    let base = ports::free_behind(1);
    let mut settings = settings(&node, &[&format!("--inspect-brk=127.0.0.1:{base}")]);
    settings.stderr = Stdio::Piped;
    let mut local = Local::new(settings);
    let worker = local.fork();
    // Held to the end: who writes to a pipe that nobody reads is ended by it.
    let mut stderr = tokio::io::BufReader::new(worker.take_stderr().unwrap());
    let line = local.run(first_line(&mut stderr));
    let prefix = format!("Debugger listening on ws://127.0.0.1:{}/", base + 1);
    let path = line.strip_prefix(&prefix).unwrap_or_else(|| panic!("{line}")).trim();
    let mut debugger = Debugger::attach((Ipv4Addr::LOCALHOST, base + 1).into(), path);
    debugger.run_to_the_first_line();
    debugger.go_on();
    assert_eq!(local.message(worker.id())["debugPort"], base + 1);
}

#[test]
fn each_worker_that_is_profiled_writes_a_file_of_its_own() {
    let node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(&node, &["--prof"]);
    settings.cwd = Some(directory.path().to_owned());
    let mut local = Local::new(settings);
    let pids = [(); 2].map(|()| {
        let worker = local.fork();
        let report = local.message(worker.id());
        assert!(report["execArgv"].as_array().unwrap().contains(&json!("--logfile=v8-%p.log")));
        worker.pid()
    });
    let files = std::fs::read_dir(directory.path()).unwrap();
    let names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    for pid in pids {
        let own = names.iter().filter(|name| name.ends_with(&format!("v8-{pid}.log"))).count();
        assert_eq!(own, 1, "{names:?}");
    }
}

async fn first_line(reader: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> String {
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(reader, &mut line).await.unwrap();
    line
}
