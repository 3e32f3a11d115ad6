//! Every form of `listen` has its sockets: several servers in one worker, ports that the kernel chooses, both families.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::Node;
use serde_json::json;

use crate::forms::{Pair, loopback, node_under_us, port, rust};
use crate::stage::skip;

const WORKERS: u64 = 2;

/// Crews of each kind of worker that there is.
fn pairs() -> Vec<Pair> {
    let count = WORKERS as usize;
    let mut pairs = vec![Pair::of_rust(rust().env("KERNEL", "1"), count)];
    let node = Node::find_or_skip();
    pairs.extend(node.map(|it| Pair::of_node(node_under_us(&it).env("KERNEL", "1"), count)));
    pairs
}

/// The port that all workers get for this address, each for a server of this name.
fn listen(pair: &mut Pair, name: &str, on: &str, options: &serde_json::Value) -> u16 {
    let ports: BTreeSet<_> =
        (1..=WORKERS).map(|worker| port(&pair.listen(worker, name, on, options))).collect();
    assert_eq!(ports.len(), 1, "{ports:?}");
    ports.into_iter().next().unwrap()
}

/// Everybody has a part: that one of two has none of 100 by chance comes to pass once in 10^30 times.
fn assert_both_serve(at: SocketAddr) {
    let report = Load::new(at).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 2, "{at}: {:?}", report.by_worker);
}

#[test]
fn a_worker_has_as_many_servers_as_it_wants() {
    for mut pair in pairs() {
        let names: Vec<_> = (0..3).map(|n| format!("127.0.0.1:0#{n}")).collect();
        let ports: Vec<_> =
            names.iter().map(|it| listen(&mut pair, it, "127.0.0.1:0", &json!({}))).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 3, "{ports:?}");
        ports.into_iter().map(loopback).for_each(assert_both_serve);
    }
}

#[test]
fn both_families_are_served_by_one_port_unless_it_is_for_ipv6_only() {
    if TcpListener::bind("[::1]:0").is_err() {
        return skip("this machine has no IPv6").unwrap_or_default();
    }
    for mut pair in pairs() {
        for on in [":0", "[::]:0"] {
            let port = listen(&mut pair, on, on, &json!({}));
            for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
                assert_both_serve(SocketAddr::new(ip, port));
            }
        }
        let port = listen(&mut pair, "six", "[::]:0", &json!({ "ipv6_only": true }));
        let _free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert_both_serve(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
    }
}
