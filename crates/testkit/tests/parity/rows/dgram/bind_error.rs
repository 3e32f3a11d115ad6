//! A UDP socket that the primary cannot bind.

use portcrew::{Error, Event, Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-dgram-cluster-bind-error",
    asserts: "the primary's error becomes an error of bind with its number, address and port, and the socket is \
              unbound again: it can be bound anew",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(from_node),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| world.run(refused(world.rust_workers("worker"), &rust_errors))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// A port that somebody has.
const TAKEN: &str = "TAKEN";
/// An address for documentation, which no interface has.
const NOWHERE: &str = "192.0.2.1";

/// The system's numbers.
const ADDRESS_IN_USE: i32 = 98;
const ADDRESS_NOT_AVAILABLE: i32 = 99;

const NODE_WORKER: &str = "
const dgram = require('node:dgram');
const { once } = require('node:events');
const socket = dgram.createSocket('udp4');
(async () => {
  for (const [port, host] of [[Number(process.env.TAKEN), '127.0.0.1'], [0, '192.0.2.1']]) {
    socket.bind(port, host);
    const [{ message, code, errno, syscall, address }] = await once(socket, 'error');
    say({ message, code, errno, syscall, address });
  }
  assert.throws(() => socket.address());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  say(socket.address().port);
})();
";

fn from_node(world: &World) {
    let errors = |port| {
        [
            json!({
                "message": format!("bind EADDRINUSE 127.0.0.1:{port}"), "code": "EADDRINUSE",
                "errno": -ADDRESS_IN_USE, "syscall": "bind", "address": "127.0.0.1",
            }),
            json!({
                "message": format!("bind EADDRNOTAVAIL {NOWHERE}"), "code": "EADDRNOTAVAIL",
                "errno": -ADDRESS_NOT_AVAILABLE, "syscall": "bind", "address": NOWHERE,
            }),
        ]
    };
    world.run(refused(world.node_workers(NODE_WORKER), &errors));
}

/// What a Rust worker says of its errors.
fn rust_errors(port: u16) -> [Value; 2] {
    [
        json!({ "errno": ADDRESS_IN_USE, "syscall": "bind", "address": "127.0.0.1", "port": port }),
        json!({ "errno": ADDRESS_NOT_AVAILABLE, "syscall": "bind", "address": NOWHERE, "port": 0 }),
    ]
}

/// The worker says each error with which it was refused, and the port that it got at last.
async fn refused(workers: Settings, errors: &dyn Fn(u16) -> [Value; 2]) {
    let taken = Datagrams::new();
    let port = taken.address().port();
    let mut primary = Primary::new(workers.env(TAKEN, port.to_string()));
    primary.fork().await;
    for expected in [ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE] {
        let failed = primary.until("listen-failed", |it| match it {
            Event::ListenFailed { error, .. } => Some(error.raw_os_error()),
            _ => None,
        });
        assert_eq!(failed.await, Some(expected));
    }
    for expected in errors(port) {
        assert_eq!(primary.message::<Value>().await.1, expected);
    }
    let bound: u16 = primary.message().await.1;
    // Nothing was said to listen before.
    assert_eq!(primary.port().await, bound);
    primary.end().await;
}

fn under_node(world: &World) {
    let taken = Datagrams::new();
    let mut primary = world.node_primary(
        "worker",
        "lines((line) => {
          if (line !== 'disconnect') return cluster.fork({ TAKEN: line });
          cluster.disconnect();
          process.stdin.destroy();
        });",
    );
    let port = taken.address().port();
    primary.line(&port.to_string());
    for expected in rust_errors(port) {
        assert_eq!(primary.next("message")["message"], expected);
    }
    let bound = primary.next("message")["message"].clone();
    assert_eq!(bound, primary.port());
    primary.line("disconnect");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let taken = std::env::var(TAKEN).expect("it is told");
        for address in [format!("127.0.0.1:{taken}"), format!("{NOWHERE}:0")] {
            let Err(Error::Listen(error)) = worker.bind_udp(address).await else {
                panic!("it was bound")
            };
            let told = json!({
                "errno": error.errno(), "syscall": error.syscall(),
                "address": error.address(), "port": error.port(),
            });
            worker.send(&told).expect("connected");
        }
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("it is bound").port();
        worker.send(&port).expect("connected");
        worker.draining().await;
    });
}
