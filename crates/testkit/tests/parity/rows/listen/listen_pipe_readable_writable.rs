//! A path that everybody may connect to.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use portcrew::{ListenUnix, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect_unix, read_all};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-listen-pipe-readable-writable",
    asserts: "readableAll and writableAll of a worker make the socket file's mode 0777",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| opens(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(opens_under_node),
        Proof::rust_rust(|world| opens(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('open')).listen({
  path: process.env.PARITY_PATH, readableAll: true, writableAll: true,
});
";

fn opens(world: &World, workers: Settings) {
    let path = world.directory().join("open.sock");
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PATH", &path));
        primary.fork().await;
        primary.listening().await;
        assert_eq!(mode(&path), 0o777);
        assert_eq!(read_all(connect_unix(&path)), "open");
        primary.end().await;
    });
}

// Who may execute a socket means nothing; Node's primaries from 22 on allow it to nobody.
fn opens_under_node(world: &World) {
    let path = world.directory().join("open.sock");
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[format!("PARITY_PATH={}", path.display())]);
    primary.next("listening");
    assert_eq!(mode(&path) & 0o666, 0o666);
    assert_eq!(read_all(connect_unix(&path)), "open");
    primary.all_leave(1);
}

fn mode(path: &Path) -> u32 {
    path.metadata().expect("it listens").permissions().mode() & 0o777
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let path: PathBuf = part::variable("PARITY_PATH");
        let path = ListenUnix::from(path).readable_all().writable_all();
        let listener = worker.listen_unix(path).await.expect("a free path");
        part::serve(&listener, "open").await;
    });
}
