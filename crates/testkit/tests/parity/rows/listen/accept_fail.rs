//! The primary cannot accept, for want of descriptors.

use portcrew::Role;
use portcrew_testkit::process::Program;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, connect, listening_on, read_all, said_at};
use crate::{part, tell};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-accept-fail",
    asserts: "an accept that fails in the primary ends nothing: the worker goes on, whoever waits is served when it is over, \
              and the server closes cleanly",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            fails(world.rust_primary(&world.node_workers(NODE_WORKER)), has_failed);
        }),
        // Older ones never return from the accept that fails.
        Proof::node_rust(|world| {
            fails(world.node_program("worker", NODE_PRIMARY), node_has_failed);
        })
        .since(20, 20),
        Proof::rust_rust(|world| {
            fails(world.rust_primary(&world.rust_workers("worker")), has_failed);
        }),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('served')).listen(0, '127.0.0.1');
";

const NODE_PRIMARY: &str = "
orders.ping = () => tell('pong');
obey();
";

fn fails(primary: Program, has_failed: fn(&mut NodeProcess)) {
    let mut primary = NodeProcess::start(primary);
    primary.fork(&[]);
    let port = primary.port();
    // The standard streams: no further descriptor can be had.
    let before = limit(&primary, Some(3));
    let early = connect(port);
    has_failed(&mut primary);
    let waiting = listening_on(port).iter().map(|it| it.waiting).collect::<Vec<_>>();
    assert_eq!(waiting, [1], "it was not accepted");
    limit(&primary, before);
    assert_eq!(read_all(early), "served");
    assert_eq!(said_at(port), "served");
    primary.all_leave(1);
}

/// Sets how many descriptors the primary may have, and says how many it might before.
fn limit(primary: &NodeProcess, current: Option<u64>) -> Option<u64> {
    let pid = i32::try_from(primary.process.pid()).ok().and_then(Pid::from_raw);
    // The hard limit is the one that it inherited.
    let maximum = getrlimit(Resource::Nofile).maximum;
    let old = prlimit(pid, Resource::Nofile, Rlimit { current, maximum });
    old.expect("it is our child").current
}

/// It rests, and takes no more for the moment.
fn has_failed(primary: &mut NodeProcess) {
    loop {
        primary.line("snapshot");
        if primary.next("snapshot")["accepting"][0] == false {
            return;
        }
    }
}

/// Behind the second answer its loop has gone round once, and has seen the connection on the way.
fn node_has_failed(primary: &mut NodeProcess) {
    for _ in 0..2 {
        primary.line("ping");
        primary.next("pong");
    }
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        part::serve(&listener, "served").await;
    });
}
