//! A path that is too long from the root, and short enough from a working directory.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use portcrew::Role;
use portcrew_testkit::process::Program;

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, World, connect_unix, read_all};
use crate::{part, tell};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-listen-relative-path",
    asserts: "a worker changes its directory and listens on a short relative path, too long from the root but not from the \
              primary's directory; the file is gone at its end",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            listens(world, world.rust_primary(&world.node_workers(NODE_WORKER)));
        }),
        Proof::node_rust(|world| listens(world, world.node_program("worker", "obey();"))),
        Proof::rust_rust(|world| listens(world, world.rust_primary(&world.rust_workers("worker")))),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
process.chdir(process.env.PARITY_BELOW);
require('node:net').createServer((client) => client.end('near')).listen('short.sock');
";

/// A Unix-domain socket's address has room for so many bytes.
const ROOM: usize = 107;

fn listens(world: &World, primary: Program) {
    // The primary's directory is deep, the worker's a little deeper.
    let here = world.directory().join("d".repeat(ROOM));
    let below = here.join("below");
    fs::create_dir_all(&below).expect("the directory is ours");
    let socket = below.join("short.sock");
    let mut primary = NodeProcess::start(primary.cwd(&here).env("PARITY_BELOW", "below"));
    primary.fork(&[]);
    assert_eq!(primary.next("listening")["address"].as_str(), socket.to_str());
    assert_eq!(read_all(connect_below(&below)), "near");
    primary.all_leave(1);
    assert!(!socket.exists());
}

/// By a name for the directory that is short.
fn connect_below(directory: &Path) -> UnixStream {
    let directory = File::open(directory).expect("it is ours");
    connect_unix(format!("/proc/self/fd/{}/short.sock", directory.as_raw_fd()).as_ref())
}

fn worker(role: Role) {
    std::env::set_current_dir(part::variable::<PathBuf>("PARITY_BELOW")).expect("it is there");
    part::worker(role, async |worker| {
        let listener = worker.listen_unix("short.sock").await.expect("it is near enough");
        part::serve(&listener, "near").await;
    });
}
