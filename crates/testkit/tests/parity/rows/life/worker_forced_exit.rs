//! A worker that was told to leave may take its time; one whose channel is cut may not.

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-forced-exit",
    asserts: "worker.disconnect() lets the worker's own work run on after the channel's end (exit code 42); \
              worker.process.disconnect() has it exit at once with code 0. (A Rust worker decides itself; it sees which \
              of the two it was.)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| told_and_cut(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| told_and_cut(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "process.on('disconnect', () => setTimeout(() => process.exit(42), 10));";

fn told_and_cut(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let (told, cut) = (primary.fork().await, primary.fork().await);
        primary.online().await;
        primary.online().await;
        told.disconnect();
        cut.close_channel();
        let left = primary.gone(told.id()).await;
        assert_eq!((left.code(), left.planned), (Some(42), true));
        let left = primary.gone(cut.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), false));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const ends = [(worker) => worker.disconnect(), (worker) => worker.process.disconnect()];
        for (const end of ends) cluster.fork().on('online', function() { end(this); });
        ",
    );
    let exits = [primary.next("exit"), primary.next("exit")];
    let of = |id: u32| {
        let exit = exits.iter().find(|it| it["worker"] == id).expect("each exits once");
        (exit["code"].clone(), exit["planned"].clone())
    };
    assert_eq!(of(1), (json!(42), json!(true)));
    assert_eq!(of(2), (json!(0), json!(false)));
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.draining().await;
        if worker.is_connected() {
            worker.disconnect().await;
            std::process::exit(42);
        }
    });
}
