//! Many workers leave at once, told to and by their own will.

use portcrew::{Event, Role, Settings};
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

/// How each worker goes: told by its primary, or by its own will in one of Node's two ways.
const WAYS: [Option<&str>; 4] = [None, Some("destroy"), None, Some("disconnect")];

pub(crate) const ROW: Row = Row {
    name: "test-cluster-concurrent-disconnect",
    asserts: "workers that are told to leave and workers that end themselves, all at once, and all told again at each \
              disconnect: each exits with 0, and nothing fails but writes to those that have just gone (here: nothing)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| all_leave(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| all_leave(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
process.on('message', (way) => worker[way]());
";

fn all_leave(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut workers = Vec::new();
        for _ in WAYS {
            workers.push(primary.fork().await);
        }
        for _ in WAYS {
            primary.online().await;
        }
        for (worker, way) in workers.iter().zip(WAYS) {
            match way {
                None => worker.disconnect(),
                Some(way) => worker.send(way).expect("connected"),
            }
        }
        for _ in 0..2 * WAYS.len() {
            let all = workers.clone();
            primary
                .until("the next end", |it| match it {
                    Event::Disconnect { planned, .. } => {
                        all.iter().for_each(portcrew::WorkerHandle::disconnect);
                        assert!(*planned);
                        Some(())
                    }
                    Event::Exit { status, .. } => {
                        assert!(status.success(), "{status}");
                        Some(())
                    }
                    _ => None,
                })
                .await;
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let script = "
        const workers = [];
        let online = 0;
        const leave = (worker, at) => {
          if (!worker.isConnected()) return;
          if (at % 2 === 0) worker.disconnect(); else worker.send('leave');
        };
        for (let at = 0; at < 4; at += 1) {
          const worker = cluster.fork();
          worker.on('error', (error) => assert(['EPIPE', 'ECONNRESET'].includes(error.code), error));
          worker.on('disconnect', () => workers.forEach((it) => it.isConnected() && it.disconnect()));
          worker.on('online', () => { online += 1; if (online === 4) workers.forEach(leave); });
          workers.push(worker);
        }
        ";
    let primary = world.node_primary("worker", script);
    let told = primary.ends_with_its_workers(0);
    let exits: Vec<_> = told.iter().filter(|it| it["event"] == "exit").collect();
    let well = |it: &&Value| it["code"] == 0 && it["planned"] == true;
    assert!(exits.len() == 4 && exits.iter().all(well), "{told:#?}");
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let mut told = worker.draining();
        tokio::select! {
            _ = worker.recv() => {}
            () = &mut told => {}
        }
        worker.disconnect().await;
    });
}
