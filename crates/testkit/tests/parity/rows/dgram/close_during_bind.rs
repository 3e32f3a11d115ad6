//! A socket that is closed while the primary's one is on its way.

use std::net::SocketAddr;

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use super::close_before_reply::ask_and_give_up;
use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, free_udp, own_loopback, until_free};

pub(crate) const ROW: Row = Row {
    name: "test-dgram-cluster-close-during-bind",
    asserts: "a UDP handle that arrives for a socket that is closed already is closed, and the port is free",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(from_node),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| {
            world.run(async {
                let (mut primary, at) = given_up(world.rust_workers("worker")).await;
                freed(&mut primary, at).await;
                primary.end().await;
            });
        }),
    ],
    parts: &[Part::new("worker", worker)],
};

/// Where it is bound and given up.
const AT: &str = "AT";

const NODE_WORKER: &str = "
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const [host, port] = process.env.AT.split(':');
const socket = dgram.createSocket('udp4');
const ask = cluster._getServer;
cluster._getServer = (asking, options, given) => {
  cluster._getServer = ask;
  ask(asking, options, (errno, handle) => {
    let closed = false;
    const close = handle.close;
    handle.close = function (...rest) {
      closed = true;
      return close.apply(this, rest);
    };
    given(errno, handle);
    say({ errno, closed });
  });
  socket.close(() => say('closed'));
  dgram.createSocket('udp4').bind(0, '127.0.0.1', () => say('bound'));
};
socket.bind(Number(port), host);
";

async fn given_up(workers: Settings) -> (Primary, SocketAddr) {
    let at = free_udp(own_loopback());
    let mut primary = Primary::new(workers.env(AT, at.to_string()));
    primary.fork().await;
    assert_eq!(primary.message::<String>().await.1, "closed");
    (primary, at)
}

async fn freed(primary: &mut Primary, at: SocketAddr) {
    assert_eq!(primary.message::<String>().await.1, "bound");
    let listeners = primary.cluster.snapshot().await.expect("it is there").listeners;
    assert_eq!(listeners.len(), 1, "the other one: {listeners:?}");
    // Whoever had the socket would have the port.
    until_free(at);
}

fn from_node(world: &World) {
    world.run(async {
        let (mut primary, at) = given_up(world.node_workers(NODE_WORKER)).await;
        let came: Value = primary.message().await.1;
        assert_eq!(came, json!({ "errno": 0, "closed": true }));
        freed(&mut primary, at).await;
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "lines((line) => {
          if (line === 'disconnect') {
            cluster.disconnect();
            return process.stdin.destroy();
          }
          cluster.fork({ AT: line }).process.on('internalMessage', ({ act, port }) => {
            if (act !== undefined) tell(act, { port });
          });
        });",
    );
    let at = free_udp(own_loopback());
    primary.line(&at.to_string());
    assert_eq!(primary.next("queryServer")["port"], at.port());
    for expected in ["closed", "bound"] {
        assert_eq!(primary.next("message")["message"], expected);
    }
    primary.next("close");
    until_free(at);
    primary.line("disconnect");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        ask_and_give_up(&worker, &std::env::var(AT).expect("it is told")).await;
        worker.send("closed").expect("connected");
        let _socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        worker.send("bound").expect("connected");
        worker.draining().await;
    });
}
