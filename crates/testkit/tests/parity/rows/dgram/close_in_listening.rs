//! Three workers that close their socket as soon as they have it.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, udp_sockets};

pub(crate) const ROW: Row = Row {
    name: "test-dgram-cluster-close-in-listening",
    asserts: "three workers may each close a UDP socket where they hear that it is bound",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| close_at_once(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| close_at_once(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: usize = 3;

const NODE_WORKER: &str = "
const socket = require('node:dgram').createSocket('udp4');
socket.bind(0, '127.0.0.1', () => {
  say('bound');
  socket.close(() => require('node:cluster').worker.disconnect());
});
";

fn close_at_once(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        for _ in 0..WORKERS {
            assert_eq!(primary.message::<String>().await.1, "bound");
            assert!(primary.exit_with(0).await.planned);
        }
        let left = primary.cluster.snapshot().await.expect("it is there").listeners;
        assert!(left.is_empty(), "{left:?}");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        for (let n = 0; n < 3; n += 1) cluster.fork();
        lines(() => process.exit(7));
        ",
    );
    for _ in 0..WORKERS {
        assert_eq!(primary.next("message")["message"], "bound");
        let exit = primary.next("exit");
        assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    }
    assert_eq!(udp_sockets(primary.process.pid()), 0);
    primary.line("end");
    primary.ends_with(7);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        worker.send("bound").expect("connected");
        socket.close();
        assert!(socket.recv_from(&mut [0; 16]).await.is_err(), "it is closed");
        worker.disconnect().await;
    });
}
