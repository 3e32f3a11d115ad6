//! The policy `kernel`: each worker accepts from a socket of its own, and all of them are the primary's.

mod deaths;
mod ends;
mod forms;
mod moves;
mod quiet;
mod slow_handshake;
mod spread;
mod stuck;
mod taken;
mod udp;

use std::net::SocketAddr;

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};

use crate::support::{Crew, HANG, SERVER, listening_sockets, primary};

/// Workers of the library.
fn rust() -> Program {
    primary(SERVER).env("KERNEL", "1")
}

/// Node workers that know nothing of us.
fn node(node: &Node) -> Program {
    primary(node.path()).arg(fixture("hello.js")).env("KERNEL", "1")
}

/// A crew of so many, all of them listening.
fn crew(program: Program, workers: usize) -> (Crew, SocketAddr) {
    let mut crew = Crew::start(program);
    crew.tell(&format!("start {workers}"));
    let address = crew.listening(workers);
    (crew, address)
}

/// The processes, each with what waits in its socket, the fullest first.
fn by_waiting(crew: &Crew) -> Vec<(usize, u32)> {
    let workers = proc_fs::children(crew.pid()).unwrap();
    let waiting = |pid| listening_sockets(pid).iter().map(|it| it.1).sum();
    let mut all: Vec<(usize, u32)> = workers.into_iter().map(|pid| (waiting(pid), pid)).collect();
    all.sort_unstable_by(|one, two| two.cmp(one));
    all
}

/// Stops a worker where it is.
fn stop(crew: &Crew, pid: u32) {
    crew.process.signal_descendant(pid, Signal::Stop).unwrap();
    eventually("it stops", HANG, || (proc_fs::state(pid).unwrap() == 'T').then_some(()));
}

fn signal(crew: &Crew, pid: u32, signal: Signal) {
    crew.process.signal_descendant(pid, signal).unwrap();
}

fn rescued(crew: &mut Crew) -> u64 {
    crew.snapshot()["rescued"].as_u64().unwrap()
}
