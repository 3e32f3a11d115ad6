//! Several setups, one after the other, before anything is forked.

use std::path::PathBuf;

use portcrew::{Event, Settings};
use serde_json::Value;

use super::look::{self, here, said};
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-setup-primary-multiple",
    asserts: "three calls are three setup events with the three programs; the last one is started",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| three(world, look::node_workers(world))),
        Proof::rust_rust(|world| three(world, look::rust_workers(world))),
    ],
    parts: &[look::PART],
};

fn three(world: &World, workers: Settings) {
    world.run(async {
        let program = workers.exec.clone().expect("it is named");
        let mut primary = Primary::new(workers);
        let programs = [PathBuf::from("/nowhere/one"), "/nowhere/two".into(), program];
        for exec in &programs {
            let setup = primary.cluster.setup_with(|it| it.exec = Some(exec.clone()));
            setup.expect("it can be set");
        }
        for exec in &programs {
            let heard = primary.until("setup", |it| match it {
                Event::Setup { settings } => Some(settings.exec.clone()),
                _ => None,
            });
            assert_eq!(heard.await.as_ref(), Some(exec));
        }
        primary.fork().await;
        assert_eq!(primary.message::<Value>().await.1, said(&[], &here()));
        primary.end().await;
    });
}
