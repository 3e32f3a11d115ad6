//! Listening on a socket that is there already: sent by the primary, or made by the worker.

use std::net::TcpListener;

use portcrew::{Event, Handle, Received, Role, Settings, Worker, WorkerHandle};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, said_at, taken_port};

pub(crate) const SENT: Row = Row {
    name: "test-net-listen-handle-in-cluster-1",
    asserts: "a worker listens on a server that the primary sent by a message, and does not ask the primary",
    verdict: Verdict::Passes,
    proofs: &[
        // Older ones ask the primary, and for no address.
        Proof::rust_node(|world| sends(world, world.node_workers(NODE_GETS))).since(20, 20),
        Proof::node_rust(sends_under_node),
        Proof::rust_rust(|world| sends(world, world.rust_workers("gets"))),
    ],
    parts: &[Part::new("gets", gets)],
};

pub(crate) const OWN: Row = Row {
    name: "test-net-listen-handle-in-cluster-2",
    asserts: "a worker listens on a socket that it has bound itself, and does not ask the primary",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| binds(world, world.node_workers(NODE_BINDS))).since(20, 20),
        Proof::node_rust(binds_under_node),
        Proof::rust_rust(|world| binds(world, world.rust_workers("binds"))),
    ],
    parts: &[Part::new("binds", binds_itself)],
};

// A worker that leaves closes what the primary gave it, not what it has of its own.
const NODE_GETS: &str = "
const net = require('node:net');
process.once('message', (_, sent) => {
  assert.ok(sent instanceof net.Server);
  const server = net.createServer((client) => client.end('worker'));
  server.listen(sent, () => say(server.address().port));
  process.once('disconnect', () => server.close());
});
";

// There is no public way to a socket that is bound only.
const NODE_BINDS: &str = "
const { TCP, constants } = process.binding('tcp_wrap');
const handle = new TCP(constants.SERVER);
assert.strictEqual(handle.bind('127.0.0.1', 0), 0);
const server = require('node:net').createServer((client) => client.end('worker'));
server.listen(handle, () => say(server.address().port));
process.once('disconnect', () => server.close());
";

fn sends(world: &World, workers: Settings) {
    let (listener, port) = taken_port();
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        worker.send_with("take it", listener).expect("connected");
        assert_eq!(primary.message_of::<u16>(worker.id()).await, port);
        finish(primary, port).await;
    });
}

fn binds(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let port = primary.message_of(worker.id()).await;
        finish(primary, port).await;
    });
}

async fn finish(mut primary: Primary, port: u16) {
    assert_eq!(said_at(port), "worker");
    assert!(primary.keys().await.is_empty());
    primary.cluster.workers().iter().for_each(WorkerHandle::disconnect);
    primary.exit_with(0).await;
    assert!(!primary.was_told(|it| matches!(it, Event::Listening { .. })));
}

fn sends_under_node(world: &World) {
    let mut primary = world.node_primary(
        "gets",
        "
        orders.give = () => {
          const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
            cluster.workers[1].send('take it', server, () => server.close());
          });
        };
        obey();
        ",
    );
    primary.fork(&[]);
    primary.line("give");
    finish_under_node(primary);
}

fn binds_under_node(world: &World) {
    let mut primary = world.node_primary("binds", "obey();");
    primary.fork(&[]);
    finish_under_node(primary);
}

fn finish_under_node(mut primary: NodeProcess) {
    let message = primary.next("message")["message"].clone();
    let port = message.as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port");
    assert_eq!(said_at(port), "worker");
    primary.line("disconnect");
    assert_eq!(primary.next("exit")["code"], 0);
    assert!(!primary.was_told("listening"));
    primary.ends_with(0);
}

fn gets(role: Role) {
    part::worker(role, async |worker| {
        let Some(Received::Message { handle: Some(Handle::TcpListener(sent)), .. }) =
            worker.recv().await
        else {
            panic!("no listener came");
        };
        serve(&worker, sent).await;
    });
}

fn binds_itself(role: Role) {
    part::worker(role, async |worker| {
        serve(&worker, taken_port().0).await;
    });
}

async fn serve(worker: &Worker, socket: TcpListener) {
    let listener = worker.listen_handle(socket).expect("it listens");
    let port = listener.local_addr().expect("the kernel says it").port();
    worker.send(&port).expect("connected");
    part::serve(&listener, "worker").await;
}
