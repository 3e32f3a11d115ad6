//! Three ways in which a program finds its sockets.

use std::net::SocketAddr;

use super::world::{assert_answered_by, crew, load, program, python};
use crate::crew::{Crew, HANG};

/// Two sockets, one of which has a name.
const TWO: [&str; 4] = ["-w", "2", "--listen", "127.0.0.1:0,web=127.0.0.1:0"];

/// Where the primary listens, in the order in which it was told to.
fn addresses(crew: &Crew) -> Vec<SocketAddr> {
    let is_told = |line: &str| line.contains("listening on ");
    let first = crew.process.wait_line(is_told, HANG);
    let second = crew.process.wait_line_after(first.mark, is_told, HANG);
    let address = |text: &str| text.rsplit(' ').next().unwrap().parse().unwrap();
    vec![address(&first.text), address(&second.text)]
}

/// A crew of two workers on the second of two sockets, which serves there.
fn serves_on_the_second(name: &str, args: &[&str], outer: &[(&str, &str)]) {
    let Some(python) = python() else { return };
    let mut program = program(&python, &TWO, name, args);
    for (name, value) in outer {
        program = program.env(name, value);
    }
    let crew = Crew { process: program.start() };
    let addresses = addresses(&crew);
    crew.all_serve(2);
    let report = load(addresses[1]).clients(4).requests(100).run();
    assert_answered_by(&report, &crew.pids_when(2));
}

#[test]
fn a_program_finds_its_socket_by_systemds_protocol_and_its_own_name() {
    serves_on_the_second("systemd.py", &["web"], &[]);
}

#[test]
fn a_program_finds_its_socket_by_einhorns_protocol_whatever_einhorn_is_above() {
    let outer = [("EINHORN_FD_1", "77"), ("EINHORN_SOCK_FD", "78"), ("EINHORN_SOCK_PATH", "/no")];
    serves_on_the_second("einhorn.py", &["1"], &outer);
}

#[test]
fn a_program_is_given_the_number_in_an_argument_by_its_place_or_its_name() {
    serves_on_the_second("number.py", &["--fd={fd1}"], &[]);
    serves_on_the_second("number.py", &["{fd}", "--fd={fd:web}"], &[]);
}

#[test]
fn a_program_has_its_sockets_and_nothing_else() {
    let Some(python) = python() else { return };
    let crew = crew(&python, &["-w", "1", "--listen", "127.0.0.1:0"], "number.py", &["{fd}"]);
    crew.all_serve(1);
    let pid = *crew.pids_when(1).first().unwrap();
    let fds = portcrew_testkit::process::proc_fs::fds(pid).unwrap();
    // Its own pair, with which it is told to leave, comes behind.
    let given: Vec<_> = fds.iter().filter(|(number, _)| *number <= 3).collect();
    assert_eq!(given.len(), 4, "{fds:?}");
    assert!(given[3].1.starts_with("socket:") && fds.len() == 6, "{fds:?}");
    let names = ["NODE_CHANNEL_FD", "NODE_UNIQUE_ID", "PORTCREW_LANE_FD", "PORTCREW_EXEC"];
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8_lossy(&environment);
    assert!(names.iter().all(|name| !text.contains(name)), "{text}");
}
