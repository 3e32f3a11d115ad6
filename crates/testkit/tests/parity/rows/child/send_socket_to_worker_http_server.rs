//! A connection that a worker is sent by message is served by the worker's HTTP server.

use std::convert::Infallible;
use std::io::Write as _;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect, letter, listener, port_of, read_all};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-send-socket-to-worker-http-server",
    asserts: "a connection that the primary accepted and sent is served by the worker's HTTP server as one of its own (in \
              Node, socket.server is that server)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| gives(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| gives(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const REQUEST: &[u8] = b"GET /question HTTP/1.1\r\nHost: parity\r\nConnection: close\r\n\r\n";

const NODE_WORKER: &str = r"
const server = require('node:http').createServer((request, response) => {
  assert.strictEqual(request.socket.server, server);
  response.end(`answer to ${request.url}`);
});
process.on('message', (message, socket) => server.emit('connection', socket));
";

fn gives(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        let listener = listener();
        ask_twice(port_of(&listener), || {
            let (socket, _) = listener.accept().expect("a client connected");
            worker.send_with("yours", socket).expect("connected");
        });
        primary.end().await;
    });
}

/// Two clients one after another; `pass_on` is called for each, before it asks.
fn ask_twice(port: u16, mut pass_on: impl FnMut()) {
    for _ in 0..2 {
        let mut client = connect(port);
        pass_on();
        client.write_all(REQUEST).expect("open");
        let answer = read_all(client);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("answer to /question"), "{answer}");
    }
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => worker.send('yours', socket));
        worker.on('online', () => server.listen(0, '127.0.0.1', () => tell('port', { port: server.address().port })));
        lines(() => {
          server.close();
          worker.disconnect();
        });
        ",
    );
    ask_twice(primary.port_in("port"), || {});
    primary.line("leave");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let answer = service_fn(|request: Request<Incoming>| {
            let body = format!("answer to {}", request.uri());
            async move { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(body)))) }
        });
        for _ in 0..2 {
            let stream = letter(&worker).await.stream();
            stream.set_nonblocking(true).expect("open");
            let stream = tokio::net::TcpStream::from_std(stream).expect("inside a runtime");
            let served = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            served.expect("the client asks and waits");
        }
        worker.draining().await;
    });
}
