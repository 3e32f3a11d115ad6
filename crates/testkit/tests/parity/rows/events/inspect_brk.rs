//! A worker that waits for its debugger.

use std::net::Ipv4Addr;

use portcrew::{Event, Settings, Signal, Stdio, WorkerHandle};
use portcrew_testkit::debugger::Debugger;
use portcrew_testkit::ports;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe;

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-inspect-brk",
    asserts: "a worker with --inspect-brk says where its debugger finds it, and stops before its first line; it can be \
              killed there, and goes on when the debugger says so",
    verdict: Verdict::Passes,
    proofs: &[Proof::rust_node(stops)],
    parts: &[],
};

/// Its only line.
const NODE_WORKER: &str = "say('it runs');";

fn stops(world: &World) {
    let base = ports::free_behind(2);
    let mut workers: Settings = world.node_workers(NODE_WORKER).env("NODE_OPTIONS", "");
    workers.args.insert(0, format!("--inspect-brk=127.0.0.1:{base}").into());
    workers.stderr = Stdio::Piped;
    world.run(async {
        let mut primary = Primary::new(workers);
        let (first, _stderr, mut debugger) = waiting(&mut primary, base + 1).await;
        debugger.run_to_the_first_line();
        debugger.go_on();
        assert_eq!(primary.message_of::<String>(first.id()).await, "it runs");

        let (second, _stderr, mut debugger) = waiting(&mut primary, base + 2).await;
        debugger.run_to_the_first_line();
        second.kill(Signal::Terminate);
        let left = primary.exit().await;
        assert_eq!((left.worker, left.signal()), (second.id(), Some(15)));
        // What it had said would have come before the end of its channel.
        primary.disconnect_of(second.id()).await;
        assert!(!primary.was_told(|it| matches!(it, Event::Message { .. })), "the second ran");
        primary.end().await;
    });
}

/// A worker that waits for its debugger on this port, its standard error, and the debugger. Who writes to a pipe that
/// nobody reads is ended by it, so the second is to be kept.
async fn waiting(
    primary: &mut Primary,
    port: u16,
) -> (WorkerHandle, BufReader<pipe::Receiver>, Debugger) {
    let worker = primary.fork().await;
    let mut stderr = BufReader::new(worker.take_stderr().expect("it is piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).await.expect("it is text");
    let prefix = format!("Debugger listening on ws://127.0.0.1:{port}/");
    let path = line.strip_prefix(&prefix).unwrap_or_else(|| panic!("{line}")).trim();
    let debugger = Debugger::attach((Ipv4Addr::LOCALHOST, port).into(), path);
    (worker, stderr, debugger)
}
