//! Workers that bind one port by themselves.

use portcrew::{BindUdp, Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, udp_sockets};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-reuseport",
    asserts: "UDP sockets with reusePort of two workers bind the same port, and the primary is never asked",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| by_themselves(world, world.node_workers(NODE_WORKER)))
            .since(22, 12),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| by_themselves(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// Where a worker binds by itself.
const PORT: &str = "PORT";

/// Says where it has bound by itself, and where it has asked. Of the first nobody knows, so nobody closes it when the
/// worker leaves.
const NODE_WORKER: &str = "
const dgram = require('node:dgram');
const own = dgram.createSocket({ type: 'udp4', reusePort: true });
process.once('disconnect', () => own.close());
own.bind(Number(process.env.PORT), '127.0.0.1', () => {
  const asked = dgram.createSocket('udp4').bind(0, '127.0.0.1', () => {
    say({ own: own.address().port, asked: asked.address().port });
  });
});
";

fn by_themselves(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut own = 0;
        for number in 0..2 {
            let port = [(PORT, own.to_string())];
            primary.cluster.fork_with(port).await.expect("it starts");
            let (_, said) = primary.message::<Value>().await;
            let [bound, asked] = ports(&said);
            // What is heard of first is what was asked for.
            assert_eq!(primary.port().await, asked);
            assert!(number == 0 || bound == own, "{said} with {own}");
            own = bound;
        }
        let listeners = primary.cluster.snapshot().await.expect("it is there").listeners;
        assert_eq!(listeners.len(), 1, "{listeners:?}");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "lines((port) => {
          if (port !== 'disconnect') return cluster.fork({ PORT: port });
          cluster.disconnect();
          process.stdin.destroy();
        });",
    );
    let mut own = 0;
    for number in 0..2 {
        primary.line(&own.to_string());
        let said = primary.next("message")["message"].clone();
        let [bound, asked] = ports(&said);
        assert_eq!(primary.port(), asked);
        assert!(number == 0 || bound == own, "{said} with {own}");
        own = bound;
    }
    assert_eq!(udp_sockets(primary.process.pid()), 1);
    primary.line("disconnect");
    primary.ends_with(0);
}

fn ports(said: &Value) -> [u16; 2] {
    ["own", "asked"].map(|name| {
        let port = said[name].as_u64().and_then(|it| u16::try_from(it).ok());
        port.filter(|it| *it > 0).unwrap_or_else(|| panic!("{said}"))
    })
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = std::env::var(PORT).expect("it is told").parse().expect("a port");
        let own = BindUdp::from(format!("127.0.0.1:{port}")).reuse_port();
        let own = worker.bind_udp(own).await.expect("free for those who say so");
        let asked = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        let [own_port, asked_port] =
            [&own, &asked].map(|it| it.local_addr().expect("it is bound").port());
        worker.send(&json!({ "own": own_port, "asked": asked_port })).expect("connected");
        worker.draining().await;
    });
}
