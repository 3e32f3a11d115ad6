//! A worker's own will to go reaches the primary before it goes.

use portcrew::{Received, Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-kill-disconnect",
    asserts: "a worker that disconnects, and one that kills itself, is planned (exitedAfterDisconnect) in its \
              disconnect and in its exit event, and exits with 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| goes(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| goes(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
process.on('message', (how) => worker[how]());
require('node:http').createServer().listen(0, '127.0.0.1');
";

fn goes(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        for how in ["disconnect", "kill"] {
            let worker = primary.fork().await;
            primary.listening().await;
            worker.send(how).expect("connected");
            let left = primary.gone(worker.id()).await;
            assert_eq!((left.code(), left.planned), (Some(0), true), "{how}");
            assert_eq!(worker.exited_after_disconnect(), Some(true));
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const ways = ['disconnect', 'kill'];
        ways.forEach((how) => cluster.fork().on('listening', function() { this.send(how); }));
        ",
    );
    for _ in 0..2 {
        assert_eq!(primary.next("disconnect")["planned"], true);
        let exit = primary.next("exit");
        assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
    }
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        let Some(Received::Message { message, .. }) = worker.recv().await else {
            panic!("no message")
        };
        match message.json::<String>().expect("a text").as_str() {
            "disconnect" => {
                worker.leave();
                worker.draining().await;
                worker.finished();
                worker.disconnected().await;
            }
            "kill" => {
                worker.disconnect().await;
                std::process::exit(0);
            }
            other => panic!("{other}"),
        }
    });
}
