//! A port that is taken, and free a moment later: in a plain child.

use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};

use portcrew::{Role, Settings};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener as Listener;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{ASIDE, NodeProcess, PlainChild, World, said_by, stop_listening};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-eaddrinuse",
    asserts: "a plain child gets EADDRINUSE for its parent's port, says so, and listens on it once the parent has closed it",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| gives_way(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(gives_way_under_node),
        Proof::rust_rust(|world| gives_way(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", child)],
};

const NODE_CHILD: &str = "
const server = require('node:net').createServer((client) => client.end('child'));
const listen = () => server.listen(+process.env.PARITY_PORT, process.env.PARITY_HOST);
server.once('error', (error) => say(error.code));
server.on('listening', () => say('listening'));
process.once('message', listen);
process.once('disconnect', () => server.close());
listen();
";

const NODE_PARENT: &str = "
const owner = require('node:net').createServer().listen(0, process.env.PARITY_HOST, () => {
  const { port } = owner.address();
  const child = require('node:child_process').spawn(
    process.execPath, ['--part', process.env.PARITY_PART],
    { env: { ...process.env, PARITY_PORT: port }, stdio: ['ignore', 2, 2, 'ipc'] },
  );
  child.once('message', (word) => {
    tell('said', { word });
    owner.close(() => child.send('closed'));
    child.once('message', (word) => tell('said', { word, port }));
  });
  child.on('exit', (code) => tell('exit', { code }));
  lines(() => { child.disconnect(); process.stdin.destroy(); });
});
";

fn gives_way(world: &World, child: Settings) {
    let owner = TcpListener::bind((ASIDE, 0)).expect("a free port");
    let port = owner.local_addr().expect("it is bound").port();
    let child = child.env("PARITY_HOST", ASIDE.to_string()).env("PARITY_PORT", port.to_string());
    world.run(async {
        let child = PlainChild::start(child);
        assert_eq!(child.message::<String>().await, "EADDRINUSE");
        stop_listening(&owner);
        child.send("closed");
        assert_eq!(child.message::<String>().await, "listening");
        assert_eq!(said_by((ASIDE, port)), "child");
        child.end().await;
    });
}

fn gives_way_under_node(world: &World) {
    let parent = world.node_program("child", NODE_PARENT).env("PARITY_HOST", ASIDE.to_string());
    let mut parent = NodeProcess::start(parent);
    assert_eq!(parent.next("said")["word"], "EADDRINUSE");
    let said = parent.next("said");
    assert_eq!(said["word"], "listening");
    let port = said["port"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port");
    assert_eq!(said_by((ASIDE, port)), "child");
    parent.line("end");
    assert_eq!(parent.next("exit")["code"], 0);
    parent.ends_with(0);
}

fn child(role: Role) {
    part::child(role, async |parent| {
        let address: (IpAddr, u16) = (part::variable("PARITY_HOST"), part::variable("PARITY_PORT"));
        let error = Listener::bind(address).await.expect_err("the parent has it");
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        parent.send("EADDRINUSE").expect("connected");
        assert!(parent.recv().await.is_some(), "the parent says when it has closed it");
        let listener = Listener::bind(address).await.expect("it is free");
        parent.send("listening").expect("connected");
        let (mut client, _) = listener.accept().await.expect("one client comes");
        client.write_all(b"child").await.expect("the client reads");
        drop(client);
        assert!(parent.recv().await.is_none(), "it leaves with the channel");
    });
}
