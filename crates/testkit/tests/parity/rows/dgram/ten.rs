//! Workers that receive ten datagrams each by a socket that they share, and leave.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use portcrew::{UdpSocket, Worker};
use serde_json::{Value, json};

use crate::world::{Datagrams, NodeProcess, Primary};

const EACH: u64 = 10;

/// Of a Node worker, behind the line that makes `socket`.
pub(super) const RECEIVE: &str = "
let received = 0;
socket.on('message', () => {
  received += 1;
  say({ received });
  if (received === 10) {
    socket.close();
    require('node:cluster').worker.disconnect();
  }
});
";

/// Of a Rust worker.
pub(super) async fn receive(worker: &Worker, socket: UdpSocket) {
    for received in 1..=EACH {
        socket.recv_from(&mut [0; 16]).await.expect("it is open");
        worker.send(&json!({ "received": received })).expect("connected");
    }
    socket.close();
    worker.disconnect().await;
}

/// Sends as many as so many workers receive. Each must receive its ten, none more, and leave by itself.
pub(super) async fn dealt_out(primary: &mut Primary, at: SocketAddr, workers: usize) {
    let mut tally = Tally::default();
    let client = Datagrams::new();
    for _ in 0..EACH * workers as u64 {
        client.send(at);
        let (worker, said) = primary.message().await;
        tally.count(worker.0, &said);
    }
    tally.check(workers);
    for _ in 0..workers {
        assert!(primary.exit_with(0).await.planned);
    }
}

/// The same of Node's primary.
pub(super) fn dealt_out_under_node(primary: NodeProcess, at: SocketAddr, workers: usize) {
    let mut tally = Tally::default();
    let client = Datagrams::new();
    for _ in 0..EACH * workers as u64 {
        client.send(at);
        let event = primary.next("message");
        let worker = event["worker"].as_u64().and_then(|it| u32::try_from(it).ok());
        tally.count(worker.expect("every message tells it"), &event["message"]);
    }
    tally.check(workers);
    for _ in 0..workers {
        let exit = primary.next("exit");
        assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    }
    primary.ends_with(0);
}

/// How many each worker has received.
#[derive(Default)]
struct Tally(BTreeMap<u32, u64>);

impl Tally {
    fn count(&mut self, worker: u32, said: &Value) {
        let received = self.0.entry(worker).or_default();
        *received += 1;
        assert_eq!(*said, json!({ "received": *received }), "worker {worker}");
    }

    fn check(&self, workers: usize) {
        let share = self.0.values().copied().collect::<Vec<_>>();
        assert_eq!(share, vec![EACH; workers]);
    }
}
