//! A parent and its plain child bind one port.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use portcrew::{Role, Settings};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, PlainChild, World, listening_on};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-net-reuseport",
    asserts: "with reusePort a parent and its plain child listen on one port, each with a socket of its own",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| shares(world, world.node_workers(NODE_CHILD))).since(22, 12),
        Proof::node_rust(shares_under_node).since(22, 12),
        Proof::rust_rust(|world| shares(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", child)],
};

const NODE_CHILD: &str = "
const server = require('node:net').createServer();
server.listen({ port: +process.env.PARITY_PORT, host: '127.0.0.1', reusePort: true }, () => {
  say(server.address().port);
});
process.once('disconnect', () => server.close());
";

const NODE_PARENT: &str = "
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', reusePort: true }, () => {
  const { port } = server.address();
  const child = require('node:child_process').spawn(
    process.execPath, ['--part', process.env.PARITY_PART],
    { env: { ...process.env, PARITY_PORT: port }, stdio: ['ignore', 2, 2, 'ipc'] },
  );
  child.once('message', (its) => tell('ports', { own: port, its }));
  child.on('exit', (code) => tell('exit', { code }));
  lines(() => { child.disconnect(); server.close(); process.stdin.destroy(); });
});
";

fn shares(world: &World, child: Settings) {
    let own = reuse_port(0);
    let port = own.local_addr().expect("it is bound").port();
    world.run(async {
        let child = PlainChild::start(child.env("PARITY_PORT", port.to_string()));
        assert_eq!(child.message::<u16>().await, port);
        assert_eq!(listening_on(port).len(), 2);
        child.end().await;
        assert_eq!(listening_on(port).len(), 1, "the parent's is its own");
    });
}

fn shares_under_node(world: &World) {
    let mut parent = NodeProcess::start(world.node_program("child", NODE_PARENT));
    let ports = parent.next("ports");
    assert_eq!(ports["own"], ports["its"]);
    let port = ports["its"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port");
    assert_eq!(listening_on(port).len(), 2);
    parent.line("end");
    assert_eq!(parent.next("exit")["code"], 0);
    parent.ends_with(0);
}

fn child(role: Role) {
    part::child(role, async |parent| {
        let listener = reuse_port(part::variable("PARITY_PORT"));
        let port = listener.local_addr().expect("it is bound").port();
        parent.send(&port).expect("connected");
        assert!(parent.recv().await.is_none(), "it leaves with the channel");
    });
}

/// A plain process listens by itself: std, but for the option.
fn reuse_port(port: u16) -> TcpListener {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None);
    let socket = socket.expect("a descriptor is left");
    sockopt::set_socket_reuseport(&socket, true).expect("Linux has it");
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("the others reuse it too");
    listen(&socket, 16).expect("it is bound");
    socket.into()
}
