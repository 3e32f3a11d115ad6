//! A path that another process has already.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use portcrew::{Role, Settings};
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, refusal, refused};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-eaccess",
    asserts: "a path on which another process listens is EADDRINUSE in the worker, which tells the primary by a message",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| refuses(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(refuses_under_node),
        Proof::rust_rust(|world| refuses(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer();
server.on('error', (error) => { say(refusal(error)); process.disconnect(); });
server.listen(process.env.PARITY_PATH);
";

fn refuses(world: &World, workers: Settings) {
    let (path, _owner) = taken(world);
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PATH", &path));
        let worker = primary.fork().await;
        let said: Value = primary.message_of(worker.id()).await;
        assert_eq!(said, expected(&path));
        primary.exit_with(0).await;
    });
    assert!(path.exists(), "its owner's file stays");
}

fn refuses_under_node(world: &World) {
    let (path, _owner) = taken(world);
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[format!("PARITY_PATH={}", path.display())]);
    assert_eq!(primary.next("message")["message"], expected(&path));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn taken(world: &World) -> (PathBuf, UnixListener) {
    let path = world.directory().join("taken.sock");
    let owner = UnixListener::bind(&path).expect("the directory is empty");
    (path, owner)
}

fn expected(path: &Path) -> Value {
    refused("EADDRINUSE", path.to_str().expect("a temporary directory has a plain name"), None)
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let path: PathBuf = part::variable("PARITY_PATH");
        let error = worker.listen_unix(path).await.expect_err("it is taken");
        worker.send(&refusal(&error)).expect("connected");
        worker.disconnect().await;
    });
}
