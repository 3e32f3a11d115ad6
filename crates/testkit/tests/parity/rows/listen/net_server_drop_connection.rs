//! Workers that take only so many connections.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use portcrew::{Role, WorkerHandle};
use portcrew_testkit::node::Version;
use portcrew_testkit::process::{eventually, proc_fs};
use tokio::io::AsyncWriteExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World, connect_unix};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-server-drop-connection",
    asserts: "three workers on one path may take 0, 1 and 9 connections: what one refuses another gets, so that of 10 \
              connections none is lost",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(node_workers),
        Proof::node_rust(under_node),
        Proof::rust_rust(rust_workers),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const most = +process.env.PARITY_MOST;
const server = require('node:net').createServer((client) => client.write(`${most}`));
server.maxConnections = most;
server.listen(process.env.PARITY_PATH);
process.once('message', () => process.exit());
";

/// How many connections the workers may take.
const MOST: [usize; 3] = [0, 1, 9];

fn node_workers(world: &World) {
    // Before these a Node worker takes maxConnections 0 for no limit at all.
    let Version { major, minor, .. } = world.node().version();
    let knows_zero = matches!((major, minor), (22, 22..) | (24, 15..) | (25.., _));
    let most = if knows_zero { &MOST[..] } else { &MOST[1..] };
    let path = world.directory().join("most.sock");
    world.run(async {
        let workers = world.node_workers(NODE_WORKER).env("PARITY_PATH", &path);
        let mut primary = Primary::new(workers);
        let workers = fork(&mut primary, most).await;
        // One after another, so that who has its number is asked again.
        let clients = (0..10).map(|_| Client::connect(&path).served()).collect();
        check(clients);
        finish(primary, &workers).await;
    });
}

fn rust_workers(world: &World) {
    let path = world.directory().join("most.sock");
    world.run(async {
        let workers = world.rust_workers("worker").env("PARITY_PATH", &path);
        let mut primary = Primary::new(workers);
        let workers = fork(&mut primary, &MOST).await;
        let clients = ten(&path, workers[0].pid());
        workers[0].send("refuse").expect("connected");
        check(clients.into_iter().map(Client::served).collect());
        finish(primary, &workers).await;
    });
}

async fn fork(primary: &mut Primary, most: &[usize]) -> Vec<WorkerHandle> {
    let mut workers = Vec::new();
    for most in most {
        let variable = [("PARITY_MOST", most.to_string())];
        workers.push(primary.cluster.fork_with(variable).await.expect("it can be started"));
        primary.listening().await;
    }
    workers
}

/// Nothing was lost on the way, and something was refused.
async fn finish(mut primary: Primary, workers: &[WorkerHandle]) {
    let ledger = primary.ledger(|it| it.taken == 10).await;
    assert!(ledger.accepted == 10 && ledger.offered_again > 0, "{ledger:?}");
    for worker in workers {
        worker.send("enough").expect("connected");
    }
    for _ in workers {
        primary.exit_with(0).await;
    }
}

fn under_node(world: &World) {
    let path = world.directory().join("most.sock");
    let mut primary = world.node_primary("worker", "obey();");
    let pids = MOST.map(|most| {
        let most = format!("PARITY_MOST={most}");
        let pid = primary.fork(&[most, format!("PARITY_PATH={}", path.display())]);
        primary.next("listening");
        pid
    });
    let clients = ten(&path, pids[0]);
    primary.send(1, "refuse");
    check(clients.into_iter().map(Client::served).collect());
    for worker in 1..=3 {
        primary.send(worker, "enough");
        assert_eq!(primary.next("exit")["code"], 0);
    }
    primary.ends_with(0);
}

/// Ten clients at once, of which the worker that takes none has got one or more: the kernel shows it.
fn ten(path: &Path, zero: u32) -> Vec<Client> {
    let count = || proc_fs::fd_count(zero).expect("it lives");
    let before = count();
    let clients = (0..10).map(|_| Client::connect(path)).collect();
    eventually("a connection at the first worker", HANG, || (count() > before).then_some(()));
    clients
}

/// Each is still connected.
fn check(mut clients: Vec<Served>) {
    clients.sort_unstable_by_key(|it| it.by);
    assert_eq!(clients.iter().map(|it| it.by).collect::<String>(), "1999999999");
}

struct Client(UnixStream);

/// A client, and how many its worker takes.
struct Served {
    by: char,
    _connection: UnixStream,
}

impl Client {
    fn connect(path: &Path) -> Self {
        Self(connect_unix(path))
    }

    fn served(mut self) -> Served {
        let mut most = [0];
        self.0.read_exact(&mut most).expect("a worker takes it");
        Served { by: most[0].into(), _connection: self.0 }
    }
}

// A Rust worker says that it takes no more by closing its listener: what it was offered meanwhile goes to others.
fn worker(role: Role) {
    part::worker(role, async |worker| {
        let path: PathBuf = part::variable("PARITY_PATH");
        let most: usize = part::variable("PARITY_MOST");
        let listener = worker.listen_unix(path).await.expect("a free path");
        if most == 0 {
            assert_eq!(part::word(&worker).await, "refuse");
        }
        let mut taken = Vec::new();
        while taken.len() < most {
            let (mut client, _) = listener.accept().await.expect("it is open");
            client.write_all(most.to_string().as_bytes()).await.expect("the client reads");
            taken.push(client);
        }
        listener.close();
        assert_eq!(part::word(&worker).await, "enough");
    });
}
