//! UDP: each worker has a socket of its own on one port, and a flow stays with its worker as long as that lives.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::support::{Crew, HANG, primary};

/// With two workers, all of them come to one in one of 2^39 runs.
const CLIENTS: usize = 40;

/// Two workers that have bound one port, and their processes.
fn crew(program: Program) -> (Crew, SocketAddr, BTreeMap<String, u32>) {
    let mut crew = Crew::start(program.env("KERNEL", "1"));
    crew.tell("fork 2");
    let mut pids = BTreeMap::new();
    for _ in 0..2 {
        let fork = crew.next("fork");
        let pid = u32::try_from(fork["pid"].as_u64().unwrap()).unwrap();
        pids.insert(format!("worker {} first", fork["worker"]), pid);
        crew.next("online");
    }
    let mut ports = Vec::new();
    for worker in 1..=2 {
        let order = json!({ "op": "bind", "name": "first", "address": "127.0.0.1:0" });
        crew.tell(&format!("send {worker} {order}"));
        let bound = |it: &Value| it["worker"] == worker && it["message"].get("address").is_some();
        let message = crew.next_where("message", bound)["message"].clone();
        ports.push(message["address"].as_str().unwrap().parse::<SocketAddr>().unwrap());
    }
    assert_eq!(ports[0], ports[1]);
    // Flows move to a worker when the primary has heard that it serves too.
    crew.listening(2);
    (crew, ports[0], pids)
}

fn clients() -> Vec<UdpSocket> {
    let client = |_| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        socket
    };
    (0..CLIENTS).map(client).collect()
}

/// Who answers this client.
fn ask(client: &UdpSocket, at: SocketAddr) -> String {
    client.send_to(b"who?", at).unwrap();
    let mut answer = [0; 64];
    let length = client.recv(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[test]
fn a_flow_stays_with_its_worker_and_goes_to_another_only_when_that_has_died() {
    let node = require_node!();
    let rust = primary(env!("CARGO_BIN_EXE_fixture-udp"));
    for program in [rust, primary(node.path()).arg(fixture("udp.js"))] {
        let (crew, at, pids) = crew(program.env_remove("ADDRESS"));
        let clients = clients();
        let first: Vec<_> = clients.iter().map(|it| ask(it, at)).collect();
        assert!(pids.keys().all(|it| first.contains(it)), "{first:?}");
        for _ in 0..3 {
            assert_eq!(clients.iter().map(|it| ask(it, at)).collect::<Vec<_>>(), first);
        }
        let (dead, alive) = (&first[0], pids.keys().find(|it| **it != first[0]).unwrap());
        crew.process.signal_descendant(pids[dead], Signal::Kill).unwrap();
        crew.next("exit");
        assert!(clients.iter().all(|it| ask(it, at) == *alive));
    }
}
