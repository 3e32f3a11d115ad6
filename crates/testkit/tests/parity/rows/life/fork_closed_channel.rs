//! Sockets that are sent to a worker that exits.

use std::io::Read as _;
use std::net::TcpStream;

use portcrew::{Error, Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect, taken_port};

/// More than are under way at once.
const SOCKETS: usize = 16;

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-closed-channel-segfault",
    asserts: "sockets that are sent to a cluster worker while it exits do no harm to the primary, whose channel to it is \
              closed afterwards; here none of them stays open either",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| sends(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| sends(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "process.on('message', () => process.exit(0));";

fn sends(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        let (listener, port) = taken_port();
        let pair = || (connect(port), listener.accept().expect("a client").0);
        let mut clients = Vec::new();
        for _ in 0..SOCKETS {
            let (client, socket) = pair();
            clients.push(client);
            match worker.send_with("socket", socket) {
                Ok(()) | Err(Error::Disconnected) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        primary.gone(worker.id()).await;
        let (client, socket) = pair();
        clients.push(client);
        let sent = worker.send_with("socket", socket);
        assert!(matches!(sent, Err(Error::Disconnected)) && !worker.is_connected(), "{sent:?}");
        clients.into_iter().for_each(is_over);
    });
}

/// Whoever had the other end has closed it.
fn is_over(mut client: TcpStream) {
    match client.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => panic!("{other:?}"),
    }
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        const server = require('node:net').createServer((socket) => {
          // It may be gone already.
          if (worker.isConnected()) worker.send('socket', socket, () => {});
        });
        worker.on('error', (error) => tell('trouble', { code: error.code }));
        worker.on('online', () => {
          server.listen(0, '127.0.0.1', () => tell('server', { port: server.address().port }));
        });
        worker.process.on('close', () => {
          tell('closed', { channel: worker.process.channel ?? null });
          process.exit(0);
        });
        ",
    );
    let port = primary.next("server")["port"].as_u64().and_then(|it| u16::try_from(it).ok());
    let port = port.expect("a port");
    let clients: Vec<_> = (0..SOCKETS).filter_map(|_| try_connect(port)).collect();
    assert_eq!(primary.next("exit")["code"], 0);
    assert_eq!(primary.next("closed")["channel"], json!(null));
    primary.ends_with(0);
    clients.into_iter().for_each(is_over);
}

/// None when the primary has ended before: the first client is enough for that.
fn try_connect(port: u16) -> Option<TcpStream> {
    TcpStream::connect(("127.0.0.1", port)).ok()
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.recv().await.expect("a socket");
    });
}
