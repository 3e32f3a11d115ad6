//! A crew's name: taken, free again, left behind.

use std::fs;
use std::os::unix::net::{UnixListener, UnixStream};

use portcrew_testkit::process::Signal;

use crate::crew::HANG;
use crate::home::{Home, PORTCREW};

#[test]
fn a_name_that_was_given_and_is_taken_is_refused_with_what_can_be_done() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let args = ["run", "--name", "api", PORTCREW, "demo", "--port", "0"];
    let answer = home.ask(&args);
    assert_eq!(answer.status, 5);
    let pid = crew.process.pid();
    assert_eq!(
        answer.stderr,
        format!(
            "portcrew: a crew called api runs already (pid {pid}). `portcrew reload api` replaces its workers, \
             `portcrew stop api` ends it; another crew needs another --name\n"
        )
    );
}

#[test]
fn no_crew_is_called_what_means_every_crew() {
    let home = Home::new();
    for command in ["run", "start"] {
        let answer = home.ask(&[command, "--name", "all", PORTCREW, "demo", "--port", "0"]);
        assert_eq!(answer.status, 2, "{command}");
        assert!(answer.stderr.contains("`all` means every crew"), "{}", answer.stderr);
    }
}

#[test]
fn a_crew_that_was_not_named_goes_on_without_a_socket_and_says_so_once() {
    let home = Home::new();
    let _crew = home.crew("demo", "1");
    let second =
        crate::crew::Crew { process: home.program(&["demo", "-w", "1", "--port", "0"]).start() };
    second.says("another crew is called demo");
    second.says("open http://127.0.0.1:");
    let list = home.json(&["list", "--json"]);
    assert_eq!(list["crews"].as_array().unwrap().len(), 1);
    let quiet = home.program(&["demo", "-w", "1", "--port", "0", "--no-control"]).start();
    let quiet = crate::crew::Crew { process: quiet };
    quiet.says("open http://127.0.0.1:");
    assert!(!quiet.said().iter().any(|it| it.contains("another crew")), "{:?}", quiet.said());
}

#[test]
fn of_many_starts_at_once_one_has_the_name_and_the_others_say_so() {
    let home = Home::new();
    let args = ["run", "--name", "api", "-w", "1", PORTCREW, "demo", "--port", "0"];
    let all: Vec<_> = (0..50).map(|_| home.program(&args).start()).collect();
    let serves = |process: &&portcrew_testkit::process::Process| {
        let known = |line: &str| line.contains("listening on") || line.contains("runs already");
        process.wait_line(known, HANG).text.contains("listening on")
    };
    assert_eq!(all.iter().filter(serves).count(), 1);
}

#[test]
fn what_a_killed_primary_left_behind_is_no_crew_and_no_hindrance() {
    let home = Home::new();
    let mut crew = home.crew("api", "1");
    crew.process.signal(Signal::Kill);
    crew.process.wait_exit(HANG);
    assert!(home.socket("api").exists());
    assert!(UnixStream::connect(home.socket("api")).is_err());
    let answer = home.ask(&["list"]);
    assert_eq!(
        (answer.status, answer.stdout.contains("no crew runs")),
        (0, true),
        "{}",
        answer.stdout
    );
    assert!(!home.socket("api").exists());
    drop(UnixListener::bind(home.socket("api")).unwrap());
    let _again = home.crew("api", "1");
    assert_eq!(home.json(&["list", "--json"])["crews"][0]["name"], "api");
}

#[test]
fn a_crew_that_ends_leaves_nothing_in_the_directory() {
    let home = Home::new();
    let mut crew = home.crew("api", "1");
    assert_eq!(fs::read_dir(home.socket("api").parent().unwrap()).unwrap().count(), 2);
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert_eq!(fs::read_dir(home.socket("api").parent().unwrap()).unwrap().count(), 0);
}
