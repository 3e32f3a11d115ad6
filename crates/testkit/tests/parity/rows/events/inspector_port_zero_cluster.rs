//! Inspectors for which the kernel chooses ports.

use std::collections::BTreeSet;

use super::inspect;
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-inspector-port-zero-cluster",
    asserts: "with inspector port 0 every worker's inspector listens on another port, which the kernel chose",
    verdict: Verdict::Passes,
    proofs: &[Proof::rust_node(chosen)],
    parts: &[],
};

const WORKERS: usize = 3;

fn chosen(world: &World) {
    world.run(async {
        let mut primary = Primary::new(inspect::workers(world, "--inspect=127.0.0.1:0"));
        let mut addresses = BTreeSet::new();
        for _ in 0..WORKERS {
            let inspected = inspect::fork(&mut primary).await;
            let address = inspected.address().expect("an inspector listens").to_owned();
            assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{address}");
            addresses.insert(address);
        }
        assert_eq!(addresses.len(), WORKERS, "{addresses:?}");
        primary.end().await;
    });
}
