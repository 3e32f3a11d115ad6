//! Every setup is told.

use std::sync::Arc;

use portcrew::{Event, Settings};
use serde_json::Value;

use super::look::{self, here, said};
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-setup-primary-emit",
    asserts: "setup is told for every call with the settings, also for one that changes nothing, and once more before \
              each fork",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| told(world, look::node_workers(world))),
        Proof::rust_rust(|world| told(world, look::rust_workers(world))),
    ],
    parts: &[look::PART],
};

fn told(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut expected = Vec::new();
        for change in [Some("one"), None, Some("two")] {
            let setup = primary.cluster.setup_with(|it| it.args.extend(change.map(Into::into)));
            setup.expect("it can be set");
            expected.push(primary.cluster.settings());
        }
        primary.fork().await;
        expected.push(primary.cluster.settings());

        // The fork is told behind its setup; nothing more is told of settings.
        let mut heard = Vec::new();
        while let Some(settings) = setup_before_the_fork(&mut primary).await {
            heard.push(settings);
        }
        let same = heard.iter().zip(&expected).all(|(it, wanted)| Arc::ptr_eq(it, wanted));
        assert!(same && heard.len() == expected.len(), "{heard:#?} and not {expected:#?}");
        assert_eq!(primary.message::<Value>().await.1, said(&["one", "two"], &here()));
        primary.end().await;
    });
}

/// The settings of the next `setup`; none when the fork comes first.
async fn setup_before_the_fork(primary: &mut Primary) -> Option<Arc<Settings>> {
    primary
        .until("setup or fork", |it| match it {
            Event::Setup { settings } => Some(Some(Arc::clone(settings))),
            Event::Fork { .. } => Some(None),
            _ => None,
        })
        .await
}
