//! A socket that is closed while the primary's refusal is on its way.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use portcrew::{Event, Role, Settings, Worker};
use rustix::io::Errno;
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-dgram-bind-socket-close-before-cluster-reply",
    asserts: "a UDP socket that is closed before the primary's error arrives emits no error",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| refused_too_late(world, world.node_workers(NODE_WORKER)))
            .since(20, 15),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| refused_too_late(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// A port that somebody has.
const TAKEN: &str = "TAKEN";

/// It closes when the question is on its way, and asks once more, so that what comes of the first is known.
const NODE_WORKER: &str = "
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const socket = dgram.createSocket('udp4');
socket.on('error', (error) => say(`error ${error.code}`));
const ask = cluster._getServer;
cluster._getServer = (...question) => {
  cluster._getServer = ask;
  ask(...question);
  socket.close(() => say('closed'));
  dgram.createSocket('udp4').bind(0, '127.0.0.1', () => say('bound'));
};
socket.bind(Number(process.env.TAKEN), '127.0.0.1');
";

fn refused_too_late(world: &World, workers: Settings) {
    let taken = Datagrams::new();
    world.run(async {
        let workers = workers.env(TAKEN, taken.address().port().to_string());
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let refused = primary.until("listen-failed", |it| match it {
            Event::ListenFailed { error, .. } => Some(Errno::from_io_error(error)),
            _ => None,
        });
        assert_eq!(refused.await, Some(Errno::ADDRINUSE));
        for expected in ["closed", "bound"] {
            assert_eq!(primary.message_of::<String>(worker.id()).await, expected);
        }
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let taken = Datagrams::new();
    let mut primary = world.node_primary(
        "worker",
        "lines((line) => {
          if (line === 'disconnect') {
            cluster.disconnect();
            return process.stdin.destroy();
          }
          const worker = cluster.fork({ TAKEN: line });
          worker.process.on('internalMessage', ({ act, port }) => {
            if (act === 'queryServer') tell('asked', { port });
          });
        });",
    );
    let port = taken.address().port();
    primary.line(&port.to_string());
    assert_eq!(primary.next("asked")["port"], port);
    for expected in ["closed", "bound"] {
        assert_eq!(primary.next("message")["message"], Value::from(expected));
    }
    primary.line("disconnect");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port = std::env::var(TAKEN).expect("it is told");
        ask_and_give_up(&worker, &format!("127.0.0.1:{port}")).await;
        worker.send("closed").expect("connected");
        let _socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        worker.send("bound").expect("connected");
        tokio::select! {
            received = worker.recv() => panic!("{received:?}"),
            () = worker.draining() => {}
        }
    });
}

/// Asks for a socket and wants it no more before the answer can come.
pub(super) async fn ask_and_give_up(worker: &Worker, address: &str) {
    let mut asking = pin!(worker.bind_udp(address));
    let waits = poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx).is_pending())).await;
    assert!(waits, "the question goes out when this task waits");
}
