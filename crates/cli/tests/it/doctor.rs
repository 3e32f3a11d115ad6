//! `portcrew doctor` and `completions`.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

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

/// In place of a primary that was stopped while others had asked: the lock is held and nobody accepts any more.
#[test]
fn a_primary_that_is_stopped_with_a_full_queue_of_clients_is_bad() {
    let home = Home::new();
    let (socket, lock) = (home.socket("api"), home.socket("api").with_extension("lock"));
    let directory = socket.parent().unwrap();
    fs::create_dir(directory).unwrap();
    fs::set_permissions(directory, PermissionsExt::from_mode(0o700)).unwrap();
    let mut lock = File::create(lock).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    writeln!(lock, "{}", std::process::id()).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    // A queue takes one more than its backlog.
    let _client = UnixStream::connect(&socket).unwrap();
    let answer = home.ask(&["doctor"]);
    let bad = "bad     crew: api has a socket and has not answered within 10 s\n";
    assert!(answer.status == 1 && answer.stdout.contains(bad), "{}", answer.stdout);
    // Without a socket it may be one that starts, or ends.
    drop(listener);
    let answer = home.ask(&["doctor"]);
    assert!(answer.status == 0, "{}", answer.stdout);
    assert!(answer.stdout.contains("advice  crew: api "), "{}", answer.stdout);
}
