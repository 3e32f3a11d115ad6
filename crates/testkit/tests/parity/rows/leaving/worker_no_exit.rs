//! A worker outlives its channel while it is somebody's client.

use std::net::{TcpListener, TcpStream};

use portcrew::{Role, Settings};
use tokio::io::copy;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World, read_all, still_answers, taken_port};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-no-exit",
    asserts: "a worker that was told to leave lives on after its disconnect while it has a connection as a client, and \
              exits with 0 when that ends",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| lives_on(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| lives_on(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const socket = require('node:net').connect(+process.env.ECHO, '127.0.0.1');
socket.pipe(socket);
";

fn lives_on(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let (server, port) = taken_port();
        let env = [("ECHO", port.to_string())];
        let worker = primary.cluster.fork_with(env).await.expect("it starts");
        let client = accept(&server);
        worker.disconnect();
        assert!(primary.disconnect_of(worker.id()).await);
        still_answers(&client);
        assert!(!worker.is_dead() && !worker.is_connected());
        let_go(client);
        let left = primary.exit_of(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
    });
}

fn under_node(world: &World) {
    let (server, port) = taken_port();
    let script = format!(
        "const worker = cluster.fork({{ ECHO: {port} }}); lines(() => worker.disconnect());"
    );
    let mut primary = world.node_primary("worker", &script);
    let client = accept(&server);
    primary.line("disconnect");
    assert_eq!(primary.next("disconnect")["planned"], true);
    still_answers(&client);
    let_go(client);
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn accept(server: &TcpListener) -> TcpStream {
    let (client, _) = server.accept().expect("the worker connects");
    client.set_read_timeout(Some(HANG)).expect("not zero");
    client
}

fn let_go(client: TcpStream) {
    client.shutdown(std::net::Shutdown::Write).expect("connected");
    assert_eq!(read_all(client), "");
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = std::env::var("ECHO").ok().and_then(|it| it.parse().ok()).expect("a port");
        let server = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        let (mut from, mut to) = server.expect("it listens").into_split();
        let echo = tokio::spawn(async move { copy(&mut from, &mut to).await });
        worker.draining().await;
        worker.disconnect().await;
        echo.await.expect("no panic").expect("no reset");
    });
}
