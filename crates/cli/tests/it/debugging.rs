//! Node's own options before the script: each worker can be debugged on a port of its own.

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::{ports, require_node};

use crate::crew::{Crew, HANG, portcrew, run};

fn listens(crew: &Crew, worker: &str, port: u16) {
    let words = format!("{worker} | Debugger listening on ws://127.0.0.1:{port}/");
    crew.process.wait_line(|line| line.starts_with(&words), HANG);
}

#[test]
fn each_worker_of_a_crew_has_an_inspector_and_its_successor_has_the_same() {
    let node = require_node!();
    let base = ports::free_behind(2);
    let inspect = format!("--inspect=127.0.0.1:{base}");
    let node = [node.path().as_os_str(), inspect.as_ref()];
    let args = ["-w".as_ref(), "2".as_ref(), "--".as_ref()].into_iter().chain(node);
    let script = fixture("hello.js");
    let crew = run(args.chain([script.as_os_str(), "0".as_ref()]));
    crew.serving(2);
    listens(&crew, "1", base + 1);
    listens(&crew, "2", base + 2);
    crew.process.signal_descendant(*crew.pids().first().unwrap(), Signal::Kill).unwrap();
    let words = "3 | Debugger listening on ws://127.0.0.1:";
    let line = crew.process.wait_line(|line| line.starts_with(words), HANG);
    let port: u16 = line.text[words.len()..].split('/').next().unwrap().parse().unwrap();
    // The one of these that it could get is the dead worker's.
    assert!([base + 1, base + 2].contains(&port), "{}", line.text);
}

#[test]
fn the_inspector_of_the_environment_is_shared_out_too() {
    let _node = require_node!();
    let base = ports::free_behind(2);
    let program = portcrew("run")
        .env("NODE_OPTIONS", format!("--inspect=127.0.0.1:{base}"))
        .args(["-w".as_ref(), "2".as_ref(), fixture("hello.js").as_os_str()]);
    let crew = Crew { process: program.start() };
    crew.serving(2);
    listens(&crew, "1", base + 1);
    listens(&crew, "2", base + 2);
}
