//! Clients whose handshake had begun when their socket lost its worker: nobody can see them, and all are answered.

use std::path::Path;
use std::process::Command;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Program;

use super::{by_waiting, rust, signal};
use crate::stage::skip;
use crate::support::{Crew, HANG};

const SERVER: &str = "10.9.0.1";
const CLIENT: &str = "10.9.0.2";
const CLIENTS: usize = 60;

/// A network of its own with a device on which a program can play a client.
const NETWORK: [&str; 4] = [
    "-rn",
    "sh",
    "-c",
    "ip link set lo up && ip tuntap add dev t0 mode tun && ip addr add 10.9.0.1/24 dev t0 && ip link set t0 up && exec \
     \"$0\" \"$@\"",
];

/// A crew in such a network and its port; `None` where there cannot be one.
fn crew(workers: usize) -> Option<(Crew, u16)> {
    let can = |command: &mut Command| command.output().is_ok_and(|it| it.status.success());
    let network = can(Command::new("unshare").args(NETWORK).arg("true"));
    if !network
        || !can(Command::new("python3").arg("-V"))
        || !can(Command::new("nsenter").arg("-V"))
    {
        return skip("unshare -rn with ip and /dev/net/tun, nsenter and python3 are needed");
    }
    let program =
        rust().env("ADDRESS", format!("{SERVER}:0")).through(Path::new("unshare"), NETWORK);
    let mut crew = Crew::start(program);
    crew.tell(&format!("start {workers}"));
    let port = crew.listening(workers).port();
    Some((crew, port))
}

/// Clients in the crew's network that have begun their handshakes.
fn half_open(crew: &Crew, port: u16) -> portcrew_testkit::process::Process {
    let pid = crew.pid().to_string();
    let clients = Program::new("nsenter")
        .args(["-t", &pid, "-U", "-n", "--preserve-credentials", "python3"])
        .arg(fixture("slow_handshake.py"))
        .args(["t0", SERVER, CLIENT, &port.to_string(), &CLIENTS.to_string()])
        .stdin_pipe()
        .start();
    clients.wait_line(|it| it == format!("HALF {CLIENTS}"), HANG);
    clients
}

#[test]
fn those_of_a_place_that_the_crew_gave_up_are_answered_by_others() {
    let Some((mut crew, port)) = crew(3) else { return };
    let mut clients = half_open(&crew, port);
    crew.tell("scale -2");
    crew.next("exit");
    crew.next("exit");
    clients.write_line("go on");
    clients.wait_line(|it| it == format!("ANSWERED {CLIENTS} RESET 0 SILENT 0"), HANG);
}

#[test]
fn those_of_a_worker_that_was_killed_are_answered_by_others() {
    let Some((crew, port)) = crew(3) else { return };
    let mut clients = half_open(&crew, port);
    for (_, pid) in by_waiting(&crew).into_iter().take(2) {
        signal(&crew, pid, portcrew_testkit::process::Signal::Kill);
        crew.next("exit");
    }
    clients.write_line("go on");
    clients.wait_line(|it| it == format!("ANSWERED {CLIENTS} RESET 0 SILENT 0"), HANG);
}
