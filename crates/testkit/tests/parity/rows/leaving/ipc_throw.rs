//! What a worker makes of a failed listen is its own business.

use portcrew::{Error, Event, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, taken_port};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-ipc-throw",
    asserts: "an exception from the error listener of a failed listen is an ordinary uncaught exception, which the \
              worker's own handler sees; in Rust a panic over the error is an ordinary panic (exit code 101)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| throws(world, world.node_workers(NODE_WORKER), 42)),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| throws(world, world.rust_workers("worker"), 101)),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const thrown = new Error('from the listener');
process.on('uncaughtException', (error) => process.exit(error === thrown ? 42 : 1));
const server = require('node:net').createServer();
server.on('error', (error) => {
  assert.strictEqual(error.code, 'EADDRINUSE');
  throw thrown;
});
server.listen(+process.env.TAKEN, '127.0.0.1');
";

fn throws(world: &World, workers: Settings, code: i32) {
    let (_held, port) = taken_port();
    world.run(async {
        let mut primary = Primary::new(workers);
        let env = [("TAKEN", port.to_string())];
        let worker = primary.cluster.fork_with(env).await.expect("it starts");
        let failed = |it: &mut Event| match it {
            Event::ListenFailed { error, .. } => Some(error.kind()),
            _ => None,
        };
        let kind = primary.until("the failed listen", failed).await;
        assert_eq!(kind, std::io::ErrorKind::AddrInUse);
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(code), false));
    });
}

fn under_node(world: &World) {
    let (_held, port) = taken_port();
    let script = format!("cluster.fork({{ TAKEN: {port} }});");
    let primary = world.node_primary("worker", &script);
    let exit = primary.next("exit");
    assert!(exit["code"] == 101 && exit["planned"] == false, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = std::env::var("TAKEN").ok().and_then(|it| it.parse().ok()).expect("a port");
        let Err(error) = worker.listen(([127, 0, 0, 1], port)).await else { std::process::exit(1) };
        match &error {
            Error::Listen(error) if error.code() == "EADDRINUSE" => {
                // This end is meant, so nobody has to read about it.
                std::panic::set_hook(Box::new(|_| {}));
                panic!("{error}")
            }
            _ => std::process::exit(2),
        }
    });
}
