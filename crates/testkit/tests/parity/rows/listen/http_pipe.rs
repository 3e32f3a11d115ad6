//! HTTP over a path.

use std::path::{Path, PathBuf};

use portcrew::{AddressType, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect_unix, http_get};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-http-pipe",
    asserts: "a worker serves HTTP on a path; listening tells the path and type -1, and neither end of a connection has an \
              address",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| serves(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(serves_under_node),
        Proof::rust_rust(|world| serves(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = r"
require('node:http').createServer(({ socket }, response) => {
  const ends = [socket.remoteAddress, socket.localAddress];
  assert.deepStrictEqual(ends, [undefined, undefined]);
  response.end('no address');
}).listen(process.env.PARITY_PATH);
";

fn serves(world: &World, workers: Settings) {
    let path = world.directory().join("http.sock");
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PATH", &path));
        primary.fork().await;
        let (_, address) = primary.listening().await;
        assert_eq!(address.address.as_deref(), path.to_str());
        assert_eq!((address.port, address.address_type), (None, AddressType::Unix));
        ask(&path);
        primary.end().await;
    });
    assert!(!path.exists(), "the primary removes what it made");
}

fn serves_under_node(world: &World) {
    let path = world.directory().join("http.sock");
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[format!("PARITY_PATH={}", path.display())]);
    let listening = primary.next("listening");
    assert_eq!(listening["address"].as_str(), path.to_str());
    assert!(listening["port"] == -1 && listening["addressType"] == -1, "{listening}");
    ask(&path);
    primary.all_leave(1);
}

fn ask(path: &Path) {
    assert!(http_get(connect_unix(path)).contains("no address"));
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let path: PathBuf = part::variable("PARITY_PATH");
        let listener = worker.listen_unix(&path).await.expect("a free path");
        let local = listener.local_addr().expect("it was asked for");
        assert_eq!(local.as_pathname(), Some(&*path));
        while let Ok((client, peer)) = listener.accept().await {
            assert!(peer.is_unnamed(), "{peer:?}");
            part::answer_http(client, "no address").await;
        }
    });
}
