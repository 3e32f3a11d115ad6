//! `portcrew doctor` and `completions`.

use portcrew_testkit::process::{Signal, eventually};
use serde_json::Value;

use crate::crew::{Crew, HANG};
use crate::home::Home;

#[test]
fn the_doctor_tells_of_each_thing_what_was_found_and_what_to_change() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    let json = home.json(&["doctor", "--json"]);
    let checks = json["checks"].as_array().unwrap();
    for what in ["pidfd", "SO_REUSEPORT", "sock_diag", "open descriptors", "control sockets"] {
        let check = checks.iter().find(|it| it["what"] == what).unwrap();
        let is_good = check["verdict"] == "good";
        assert_eq!(check["next"].is_null(), is_good, "{check}");
    }
    // The crew's one queue is among them, with its numbers.
    let queue = checks.iter().find(|it| it["what"] == "accept queue").unwrap();
    assert_eq!((&queue["crew"], &queue["verdict"]), (&"api".into(), &"good".into()), "{queue}");
    assert!(queue["listener"].as_str().unwrap().starts_with("127.0.0.1:"), "{queue}");
    assert_eq!((&queue["dropped"], &queue["backlog"]), (&0.into(), &Value::Null), "{queue}");
    let answer = home.ask(&["doctor"]);
    assert!(answer.stdout.contains("ok      pidfd: works\n"), "{}", answer.stdout);
    assert_eq!(answer.status, 0);
    let few = home.program(&["doctor"]).through("sh", ["-c", "ulimit -Sn 256; exec \"$@\"", "sh"]);
    let (few, _) = home.ended(few.start());
    assert!(few.stdout.contains("advice  open descriptors: up to 256\n"), "{}", few.stdout);
    assert!(few.stdout.contains("ulimit -n "), "{}", few.stdout);
}

#[test]
fn completions_know_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = home.ask(&["completions", shell]);
        assert_eq!(answer.status, 0);
        for command in ["run", "start", "list", "reload", "scale", "policy", "why", "doctor"] {
            assert!(answer.stdout.contains(command), "{shell}: {command}");
        }
        let offers = answer
            .stdout
            .lines()
            .filter(|line| ["opts=", "=[", "complete "].iter().any(|it| line.contains(it)));
        let hidden = offers.filter(|line| line.contains("detached")).count();
        assert_eq!(hidden, 0, "{shell} offers what is not for people");
    }
    assert_eq!(home.ask(&["completions", "tcsh"]).status, 2);
}

#[test]
fn a_queue_that_has_been_deep_is_advised_a_longer_backlog_after_it_has_emptied() {
    let home = Home::new();
    let args = ["run", "--name", "deep", "-w", "1", env!("CARGO_BIN_EXE_portcrew")];
    let program = home.program(&[&args[..], &["demo", "--port", "0"]].concat());
    let crew = Crew { process: program.start() };
    let address = crew.address();
    let worker = *crew.pids().first().unwrap();
    crew.process.signal_descendant(worker, Signal::Stop).unwrap();
    // More than half of the backlog behind what the worker and the primary have.
    let clients: Vec<_> =
        (0..600).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    let advice = || {
        let json = home.json(&["doctor", "--json"]);
        let checks = json["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|it| it["what"] == "accept queue" && it["verdict"] == "advice")
    };
    let seen = eventually("a deep queue", HANG, advice);
    drop(clients);
    crew.process.signal_descendant(worker, Signal::Cont).unwrap();
    eventually("an empty queue", HANG, || {
        let (_, status) = home.api("deep", "GET", "/v1/status", "");
        (status["listeners"][0]["accept_queue"]["waiting"] == 0).then_some(())
    });
    let later = advice().unwrap();
    assert_eq!((&later["crew"], &later["backlog"]), (&"deep".into(), &2048.into()), "{seen}");
    let answer = home.ask(&["doctor"]);
    let line = format!("advice  accept queue: {address} of deep: ");
    assert!(answer.stdout.contains(&line), "{}", answer.stdout);
    assert!(answer.stdout.contains("        set backlog to 2048"), "{}", answer.stdout);
    assert_eq!(answer.status, 0);
}
