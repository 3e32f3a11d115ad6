//! `start` with `--listen`: the crew in the background has the addresses, also over reloads and restarts.

use std::net::{SocketAddr, TcpListener};

use portcrew_testkit::process::eventually;

use super::world::{load, python, script};
use crate::crew::HANG;
use crate::home::Home;

#[test]
fn a_crew_in_the_background_serves_is_restarted_and_frees_its_address_when_it_is_stopped() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let (python, script) = (python.to_str().unwrap().to_owned(), script("number.py"));
    let args =
        ["start", "--name", "api", "-w", "2", "--stable", "100ms", "--listen", "127.0.0.1:0"];
    let program = home.program(&args).args(["--", &python, "-B", &script, "{fd}"]);
    let (answer, _process) = home.ended(program.start());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    assert!(answer.stdout.starts_with("api: 2 workers ready on 127.0.0.1:"), "{}", answer.stdout);
    let status = &home.json(&["describe", "--json", "api"])["crews"][0];
    let address: SocketAddr = status["addresses"][0].as_str().unwrap().parse().unwrap();
    for command in ["reload", "restart"] {
        load(address).requests(10).run().assert_all_ok();
        let answer = home.ask(&[command, "api"]);
        assert_eq!(answer.status, 0, "{command}: {}", answer.stderr);
    }
    load(address).requests(10).run().assert_all_ok();
    assert_eq!(home.ask(&["stop", "api"]).status, 0);
    eventually("the address is free", HANG, || TcpListener::bind(address).ok());
}

#[test]
fn an_address_that_is_taken_is_said_by_start_with_its_status() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let args = ["start", "--name", "api", "--listen", &listen, python.to_str().unwrap()];
    let (answer, _process) = home.ended(home.program(&args).start());
    assert_eq!(answer.status, 3, "{}", answer.stderr);
    assert!(
        answer.stderr.contains(&format!("failed to listen on {listen}: Address already in use"))
    );
}

#[test]
fn what_was_passed_to_the_command_is_not_taken_into_the_background() {
    let home = Home::new();
    for listen in ["fd:0", "sd:web"] {
        let answer = home.ask(&["start", "--listen", listen, "/bin/true"]);
        assert_eq!(answer.status, 2, "{}", answer.stderr);
        assert!(
            answer.stderr.contains(&format!("--listen {listen}: what was passed to this command"))
        );
        assert!(answer.stderr.contains("Use `portcrew run`"), "{}", answer.stderr);
    }
}
