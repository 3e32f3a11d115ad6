//! A cluster without workers can be disconnected.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use portcrew::{Cluster, Settings};

use crate::row::{Proof, Row, Verdict};
use crate::world::{HANG, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-with-no-workers",
    asserts: "the end of cluster.disconnect without workers comes, and not within the call itself",
    verdict: Verdict::Passes,
    // Nobody else takes part.
    proofs: &[Proof::rust_rust(ends_later)],
    parts: &[],
};

fn ends_later(_world: &World) {
    // One thread: nothing else runs during the first poll.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("descriptors are left").block_on(async {
        let cluster = Cluster::new(Settings::default()).expect("inside a runtime");
        let mut all = pin!(cluster.disconnect());
        let first = poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx))).await;
        assert!(first.is_pending());
        tokio::time::timeout(HANG, all).await.expect("it ends");
    });
}
