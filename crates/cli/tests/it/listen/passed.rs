//! Sockets that the command itself was started with: by number, and as systemd passes them.

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use portcrew_testkit::process::{Program, Signal};

use super::world::{assert_answered_by, load, program, python};
use crate::crew::{Crew, HANG};

/// A crew that was given this listener, serves on it.
fn serves_on(program: Program) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut crew = Crew { process: program.inherits(OwnedFd::from(listener)).start() };
    crew.all_serve(2);
    let report = load(address).clients(4).requests(100).run();
    assert_answered_by(&report, &crew.pids_when(2));
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
}

/// Started as by systemd: `exec` keeps the number that is said to be the service's.
fn as_by_systemd(program: Program, names: &str) -> Program {
    let script = "LISTEN_PID=$$ exec \"$@\"";
    let program = program.through("/bin/sh", ["-c", script, "sh"]);
    program.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", names)
}

#[test]
fn a_descriptor_that_was_passed_by_number_is_served() {
    let Some(python) = python() else { return };
    serves_on(program(&python, &["-w", "2", "--listen", "fd:3"], "number.py", &["{fd}"]));
}

#[test]
fn a_socket_that_systemd_has_passed_is_served_under_its_name() {
    let Some(python) = python() else { return };
    let wanted = program(&python, &["-w", "2", "--listen", "sd:web"], "systemd.py", &["web"]);
    serves_on(as_by_systemd(wanted, "web"));
}

#[test]
fn a_name_that_systemd_has_not_passed_is_refused_with_those_that_it_has() {
    let Some(python) = python() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let wanted = program(&python, &["--listen", "sd:admin"], "number.py", &["{fd}"]);
    let program = as_by_systemd(wanted, "web").inherits(OwnedFd::from(listener));
    let mut crew = Crew { process: program.start() };
    let words = "cannot listen on 'sd:admin': no socket of this name was passed; there is: web.";
    crew.process.wait_line(|line| line.contains(words), HANG);
    assert_eq!(crew.status(), 2);
}
