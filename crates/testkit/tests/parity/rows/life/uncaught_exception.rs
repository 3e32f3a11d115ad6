//! What a primary does about its own errors is its own business.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, lead};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-uncaught-exception",
    asserts: "the primary's own handler for uncaught errors (in Rust its panic hook) wins: the primary exits with the \
              handler's 42, and its worker is gone",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| panics(world, &world.node_workers(""))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| panics(world, &world.rust_workers("worker"))),
    ],
    parts: &[Part::new("primary", primary), Part::new("worker", worker)],
};

fn panics(world: &World, workers: &Settings) {
    world.rust_leader("primary", workers).ends_with_its_workers(42);
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        process.on('uncaughtException', () => process.exit(42));
        cluster.fork().on('online', () => { throw new Error('the handler catches this'); });
        ",
    );
    primary.ends_with_its_workers(42);
}

fn primary(role: Role) {
    lead(role, async |mut primary| {
        std::panic::set_hook(Box::new(|_| std::process::exit(42)));
        primary.fork().await;
        primary.online().await;
        panic!("the hook catches this");
    });
}

fn worker(role: Role) {
    part::worker(role, async |worker| worker.draining().await);
}
