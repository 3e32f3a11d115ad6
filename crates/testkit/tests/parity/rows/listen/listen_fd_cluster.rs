//! A listening socket that the primary has inherited, by its number.

use std::os::fd::OwnedFd;

use portcrew::{Listen, Role};
use portcrew_testkit::process::Program;

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, connect, http_get, taken_port};
use crate::{part, tell};

pub(crate) const ROW: Row = Row {
    name: "test-listen-fd-cluster",
    asserts: "descriptor 3, which the primary inherited, is served over HTTP by its worker, and told as fd",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| serves(world.rust_primary(&world.node_workers(NODE_WORKER)))),
        Proof::node_rust(|world| serves(world.node_program("worker", "obey();"))),
        Proof::rust_rust(|world| serves(world.rust_primary(&world.rust_workers("worker")))),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

// Leaves when it has answered.
const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
require('node:http').createServer((request, response) => {
  response.end('by number', () => worker.disconnect());
}).listen({ fd: 3 });
";

fn serves(primary: Program) {
    let (listener, port) = taken_port();
    let primary = primary.env(tell::FORK, "1").inherits(OwnedFd::from(listener));
    let primary = NodeProcess::start(primary);
    let listening = primary.next("listening");
    assert!(listening["fd"] == 3 && listening["address"].is_null(), "{listening}");
    assert!(http_get(connect(port)).contains("by number"));
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen(Listen::fd(3)).await.expect("the primary has it");
        let (client, _) = listener.accept().await.expect("one client comes");
        part::answer_http(client, "by number").await;
        worker.disconnect().await;
    });
}
