//! The directory that workers start in.

use portcrew::Settings;

use super::look::{self, here, said};
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-cwd",
    asserts: "cwd is not set at first and workers start where the primary is; once it is set, later workers start \
              there, and those that live stay where they are",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| moves(world, look::node_workers(world))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| moves(world, look::rust_workers(world))),
    ],
    parts: &[look::PART],
};

fn moves(world: &World, workers: Settings) {
    let there = world.directory().canonicalize().expect("it is there");
    world.run(async {
        let mut primary = Primary::new(workers);
        assert_eq!(primary.cluster.settings().cwd, None);
        let first = primary.fork().await;
        assert_eq!(primary.message().await, (first.id(), said(&[], &here())));

        primary.cluster.setup_with(|it| it.cwd = Some(there.clone())).expect("it can be set");
        assert_eq!(primary.cluster.settings().cwd.as_ref(), Some(&there));
        let second = primary.fork().await;
        assert_eq!(primary.message().await, (second.id(), said(&[], &there)));

        first.send("again").expect("it is connected");
        assert_eq!(primary.message().await, (first.id(), said(&[], &here())));
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        assert.strictEqual(cluster.settings.cwd, undefined);
        const first = cluster.fork();
        first.once('message', () => {
          cluster.setupPrimary({ cwd: directory });
          cluster.fork().once('message', () => {
            first.once('message', () => cluster.disconnect());
            first.send('again');
          });
        });
        ",
    );
    let there = world.directory().canonicalize().expect("it is there");
    for (worker, cwd) in [(1, here()), (2, there), (1, here())] {
        let event = primary.next("message");
        assert_eq!((&event["worker"], &event["message"]), (&worker.into(), &said(&[], &cwd)));
    }
    primary.ends_with(0);
}
