//! The life of a worker as its primary sees it: which events in which order, and what its handle says meanwhile.

use portcrew::{Event, Settings, Signal, State, WorkerHandle};
use portcrew_testkit::node::Node;
use portcrew_testkit::process::{self, Program};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::local::{Local, node as settings};
use crate::support::{HANG, SERVER};

/// The name of an event, and its worker.
#[allow(clippy::panic, reason = "an event that nobody expects is a failed test")]
fn kind(event: &Event) -> (&'static str, Option<u32>) {
    match event {
        Event::Setup { .. } => ("setup", None),
        Event::Scheduling { .. } => ("scheduling", None),
        Event::Fork { worker, .. } => ("fork", Some(worker.0)),
        Event::Online { worker } => ("online", Some(worker.0)),
        Event::Listening { worker, .. } => ("listening", Some(worker.0)),
        Event::Message { worker, .. } => ("message", Some(worker.0)),
        Event::Disconnect { worker, .. } => ("disconnect", Some(worker.0)),
        Event::Exit { worker, .. } => ("exit", Some(worker.0)),
        other => panic!("{other:?}"),
    }
}

/// Both: a Node worker that talks, and one of the library.
fn talkers(node: &Node) -> [Settings; 2] {
    let ours = Settings::program(SERVER, [""; 0]).env("PORT", "0");
    [settings(node, &[], "talk.js").env("PORT", "0").silent(), ours.silent()]
}

fn is_gone(event: &Event) -> bool {
    matches!(event, Event::Disconnect { .. } | Event::Exit { .. })
}

#[test]
fn a_life_is_told_in_nodes_order() {
    let node = require_node!();
    for settings in talkers(&node) {
        let mut local = Local::new(settings);
        let workers = [local.fork(), local.fork()];
        let mut told = Vec::new();
        let mut ends = 0;
        while ends < 4 {
            let event = local.next();
            if let Event::Listening { worker, .. } = event {
                workers[worker.0 as usize - 1].send("hello").unwrap();
            }
            if let Event::Message { worker, .. } = event {
                workers[worker.0 as usize - 1].disconnect();
            }
            ends += u32::from(is_gone(&event));
            told.push(kind(&event));
        }
        let forks: Vec<_> = told.iter().filter(|it| matches!(it.0, "setup" | "fork")).collect();
        let expected = [("setup", None), ("fork", Some(1)), ("setup", None), ("fork", Some(2))];
        assert_eq!(forks, expected.iter().collect::<Vec<_>>(), "each setup before its fork");
        for id in [1, 2] {
            let mut own: Vec<_> =
                told.iter().filter(|it| it.1 == Some(id)).map(|it| it.0).collect();
            // These two in either order.
            own[4..].sort_unstable();
            assert_eq!(own, ["fork", "online", "listening", "message", "disconnect", "exit"]);
        }
    }
}

#[test]
fn what_is_sent_before_the_first_word_or_at_it_reaches_the_worker() {
    let node = require_node!();
    for settings in talkers(&node) {
        let mut local = Local::new(settings);
        let worker = local.fork();
        worker.send("early").unwrap();
        local.until(|event| matches!(event, Event::Online { .. }).then_some(()));
        worker.send("at once").unwrap();
        for text in ["early", "at once"] {
            assert_eq!(local.message(worker.id())["echo"], text);
        }
    }
}

#[test]
fn messages_wait_for_a_primary_that_does_not_listen_yet() {
    let node = require_node!();
    for settings in talkers(&node) {
        let mut local = Local::new(settings);
        let worker = local.fork();
        for number in 0..3 {
            worker.send(&number).unwrap();
        }
        // The channel keeps the order: when this is answered, the others have been, and nobody has read an event.
        local.run(worker.request::<_, Value>("there?", HANG)).unwrap();
        for number in 0..3 {
            assert_eq!(local.message(worker.id())["echo"], number);
        }
    }
}

#[test]
fn a_worker_that_is_told_to_leave_counts_as_planned_at_once_and_stays_in_the_table_until_it_has_left()
 {
    let node = require_node!();
    for settings in talkers(&node) {
        let mut local = Local::new(settings);
        let worker = local.fork();
        assert_eq!((worker.exited_after_disconnect(), worker.state()), (None, State::Started));
        local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
        assert_eq!(worker.state(), State::Listening);
        worker.disconnect();
        assert_eq!(worker.exited_after_disconnect(), Some(true));
        assert!(worker.is_connected() && !worker.is_dead());
        assert_eq!(local.cluster.workers().len(), 1);
        for _ in 0..2 {
            let planned = local.until(|event| match event {
                Event::Disconnect { planned, .. } | Event::Exit { planned, .. } => Some(*planned),
                _ => None,
            });
            assert!(planned);
        }
        assert!(!worker.is_connected() && worker.is_dead());
        assert!(local.cluster.workers().is_empty());
    }
}

#[test]
fn the_announcement_of_a_worker_counts_as_planned_too() {
    let mut local = Local::new(Settings::program(SERVER, [""; 0]).env("PORT", "0").silent());
    let worker = local.fork();
    worker.send(&json!({ "op": "leave" })).unwrap();
    let planned = |event: &Event| match event {
        Event::Disconnect { planned, .. } => Some(*planned),
        _ => None,
    };
    assert!(local.until(planned));
    assert_eq!(worker.exited_after_disconnect(), Some(true));
}

#[test]
fn an_end_that_nobody_planned_stays_so() {
    let node = require_node!();
    for settings in talkers(&node) {
        let mut local = Local::new(settings);
        let worker = local.fork();
        worker.kill(Signal::Kill);
        local.exit(worker.id());
        assert_eq!(worker.exited_after_disconnect(), Some(false));
        worker.disconnect();
        assert_eq!(worker.exited_after_disconnect(), Some(false), "too late");
    }
}

#[test]
fn an_exit_tells_the_code_or_the_name_of_the_signal() {
    let node = require_node!();
    let mut local = Local::new(settings(&node, &[], "talk.js").silent());
    let exit = |local: &mut Local, worker: &WorkerHandle| -> Value {
        local.exit(worker.id());
        let status = worker.exit_status().unwrap();
        json!([status.code(), Signal::of(status).map(|signal| signal.to_string())])
    };
    let worker = local.fork();
    worker.send(&json!({ "op": "exit", "code": 42 })).unwrap();
    assert_eq!(exit(&mut local, &worker), json!([42, null]));
    for name in ["SIGTERM", "SIGKILL", "SIGSEGV"] {
        let worker = local.fork();
        worker.kill(Signal::from_name(name).unwrap());
        assert_eq!(exit(&mut local, &worker), json!([null, name]));
    }
}

#[test]
fn a_builder_tells_its_user_of_workers_that_come_and_go() {
    let mut process = Program::new(SERVER).env_remove("NODE_CLUSTER_SCHED_POLICY").start();
    let event = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
    let is = |line: &str, kind: &str| event(line)["event"] == kind;
    let fork = event(&process.wait_line(|line| is(line, "fork"), HANG).text);
    let pid = u32::try_from(fork["pid"].as_u64().unwrap()).unwrap();
    process.signal_descendant(pid, process::Signal::Kill).unwrap();
    let exit = process.wait_line(|line| is(line, "exit"), HANG);
    let expected = json!({
        "event": "exit", "worker": fork["worker"], "code": null, "signal": "SIGKILL", "planned": false,
    });
    assert_eq!(event(&exit.text), expected);
    process.wait_line_after(exit.mark, |line| is(line, "fork"), HANG);
    process.signal(process::Signal::Term);
    let (status, lines) = process.wait_output(HANG);
    assert!(status.success(), "{status}");
    assert!(lines.iter().any(|line| is(&line.text, "finished")), "{lines:?}");
}
