//! One worker that binds, closes and binds again, with and without another socket beside.

use portcrew::{Role, Settings, UdpSocket, Worker};
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, udp_sockets};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-child-index-dgram",
    asserts: "several rounds of binding UDP port 0, closing and binding again work in one worker; sockets that are \
              open at the same time have ports of their own",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| rounds(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| rounds(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const ROUNDS: usize = 3;
/// Sockets that a round binds.
const EACH: usize = 3;

const NODE_WORKER: &str = "
const dgram = require('node:dgram');
const { once } = require('node:events');
const bound = async () => {
  const socket = dgram.createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
};
const closed = async (socket) => {
  socket.close();
  await once(socket, 'close');
};
const works = async (socket) => {
  socket.send('itself', socket.address().port, '127.0.0.1');
  const [text, from] = await once(socket, 'message');
  assert.deepStrictEqual([`${text}`, from.port], ['itself', socket.address().port]);
};
(async () => {
  for (let round = 0; round < 3; round += 1) {
    const first = await bound();
    const second = await bound();
    assert.notStrictEqual(first.address().port, second.address().port);
    await closed(first);
    const third = await bound();
    assert.notStrictEqual(second.address().port, third.address().port);
    await works(second);
    await works(third);
    await closed(second);
    await closed(third);
  }
  say('done');
})();
";

fn rounds(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        for _ in 0..ROUNDS * EACH {
            assert_eq!(primary.listening().await.0, worker.id());
        }
        let said: String = primary.message_of(worker.id()).await;
        assert_eq!(said, "done");
        let left = primary.cluster.snapshot().await.expect("it is there").listeners;
        assert!(left.is_empty(), "{left:?}");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary("worker", "cluster.fork(); lines(() => process.exit(7));");
    for _ in 0..ROUNDS * EACH {
        primary.next("listening");
    }
    assert_eq!(primary.next("message")["message"], Value::from("done"));
    assert_eq!(udp_sockets(primary.process.pid()), 0);
    primary.line("end");
    primary.ends_with(7);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        for _ in 0..ROUNDS {
            let first = bound(&worker).await;
            let second = bound(&worker).await;
            assert_ne!(first.local_addr().expect("bound"), second.local_addr().expect("bound"));
            drop(first);
            let third = bound(&worker).await;
            assert_ne!(second.local_addr().expect("bound"), third.local_addr().expect("bound"));
            works(&second).await;
            works(&third).await;
        }
        worker.send("done").expect("connected");
        worker.draining().await;
    });
}

async fn bound(worker: &Worker) -> UdpSocket {
    worker.bind_udp("127.0.0.1:0").await.expect("a free port")
}

async fn works(socket: &UdpSocket) {
    let own = socket.local_addr().expect("bound");
    socket.send_to(b"itself", own).await.expect("it is open");
    let mut text = [0; 16];
    let (length, from) = socket.recv_from(&mut text).await.expect("it is open");
    assert_eq!((&text[..length], from), (b"itself".as_slice(), own));
}
