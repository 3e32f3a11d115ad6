//! The whole life of one worker, event by event.

use portcrew::{AddressType, Role, Settings, State, WorkerHandle};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-basic",
    asserts: "the channel's variables are gone in the worker; fork, online, listening and exit come in this order with the \
              right arguments and states; the first id is 1; listening tells address, port, type 4 and fd",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| one_life(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| one_life(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = r"
say({ id: process.env.NODE_UNIQUE_ID ?? null, channel: process.env.NODE_CHANNEL_FD ?? null });
require('node:http').createServer(() => {}).listen(0, '127.0.0.1');
";

fn one_life(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        // A handle tells the state of now, which may be ahead of the event that was read last.
        assert_eq!(worker.id().0, 1);
        assert!(is(&worker, &[State::Started, State::Online, State::Listening]));
        assert_eq!(primary.online().await, worker.id());
        assert!(is(&worker, &[State::Online, State::Listening]));
        let variables: Value = primary.message_of(worker.id()).await;
        assert_eq!(variables, json!({ "id": null, "channel": null }));
        let (who, address) = primary.listening().await;
        assert!(who == worker.id() && is(&worker, &[State::Listening]));
        assert_eq!(address.address.as_deref(), Some("127.0.0.1"));
        assert_eq!((address.address_type, address.fd), (AddressType::Tcp4, None));
        connect(address.port.expect("it listens on a port"));
        worker.disconnect();
        assert_eq!(primary.disconnected().await, (worker.id(), true));
        let left = primary.exit_with(0).await;
        assert!(left.planned && worker.is_dead() && !worker.is_connected());
        assert!(primary.cluster.workers().is_empty());
    });
}

fn is(worker: &WorkerHandle, states: &[State]) -> bool {
    states.contains(&worker.state())
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        assert.strictEqual(worker.state, 'none');
        worker.on('online', () => tell('state', { is: worker.state }));
        worker.on('listening', (address) => {
          assert.deepStrictEqual(Object.keys(address).sort(), ['address', 'addressType', 'fd', 'port']);
          tell('state', { is: worker.state });
          worker.disconnect();
        });
        ",
    );
    assert_eq!(primary.next("fork")["worker"], 1);
    assert_eq!(primary.next("state")["is"], "online");
    assert_eq!(primary.next("message")["message"], json!({ "id": null, "channel": null }));
    let listening = primary.next("listening");
    assert_eq!(
        (&listening["address"], &listening["addressType"]),
        (&json!("127.0.0.1"), &json!(4))
    );
    assert_eq!(primary.next("state")["is"], "listening");
    assert_eq!(primary.next("exit")["planned"], true);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let variable = |name| std::env::var(name).ok();
        let seen =
            json!({ "id": variable("NODE_UNIQUE_ID"), "channel": variable("NODE_CHANNEL_FD") });
        worker.send(&seen).expect("connected");
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.draining().await;
    });
}
