//! `listen` and, before the primary can have answered, `close`.

use std::future::ready;
use std::path::{Path, PathBuf};

use portcrew::{Event, Role, Settings};
use portcrew_testkit::process::eventually;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World, connect_unix, read_all};

pub(crate) const ROW: Row = Row {
    name: "test-net-server-close-before-ipc-response",
    asserts: "a server that is closed before the primary's answer comes gives back what the answer brings: the address can be \
              listened on again, and the worker can exit",
    verdict: Verdict::Passes,
    proofs: &[
        // In older ones such a server listens all the same.
        Proof::rust_node(|world| gives_back(world, world.node_workers(NODE_WORKER))).since(20, 20),
        Proof::node_rust(gives_back_under_node),
        Proof::rust_rust(|world| gives_back(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const net = require('node:net');
net.createServer().listen(process.env.PARITY_PATH).close();
say('asked');
process.once('message', () => {
  net.createServer((client) => client.end('second')).listen(process.env.PARITY_PATH);
});
";

fn gives_back(world: &World, workers: Settings) {
    let path = world.directory().join("closed.sock");
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PATH", &path));
        let worker = primary.fork().await;
        // The question came before.
        assert_eq!(primary.message_of::<String>(worker.id()).await, "asked");
        is_given_back(&path);
        assert_eq!(primary.keys().await, [""; 0]);
        worker.send("again").expect("connected");
        primary.listening().await;
        assert_eq!(read_all(connect_unix(&path)), "second");
        worker.disconnect();
        primary.exit_with(0).await;
        assert!(!primary.was_told(|it| matches!(it, Event::Listening { .. })), "the first was not");
    });
}

fn gives_back_under_node(world: &World) {
    let path = world.directory().join("closed.sock");
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[format!("PARITY_PATH={}", path.display())]);
    assert_eq!(primary.next("message")["message"], "asked");
    is_given_back(&path);
    primary.send(1, "again");
    primary.next("listening");
    assert_eq!(read_all(connect_unix(&path)), "second");
    primary.all_leave(1);
}

/// The primary makes the file when it is asked, and removes it when the last worker has closed.
fn is_given_back(path: &Path) {
    eventually("the end of the socket's file", HANG, || (!path.exists()).then_some(()));
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let path: PathBuf = part::variable("PARITY_PATH");
        tokio::select! {
            biased;
            _ = worker.listen_unix(&path) => panic!("the answer takes a turn at least"),
            () = ready(()) => {}
        }
        worker.send("asked").expect("connected");
        part::word(&worker).await;
        let listener = worker.listen_unix(&path).await.expect("it was given back");
        part::serve(&listener, "second").await;
    });
}
