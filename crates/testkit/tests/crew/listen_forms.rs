//! Every form of `listen`: several at once, descriptors of the primary, the length of the queue, IPv6 and its zones, ports
//! of a worker's own.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd as _;

use portcrew_ipc::probe::{Queue, accept_queue};
use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, Version};
use portcrew_testkit::process::{Process, Program, proc_fs};
use portcrew_testkit::require_node;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use serde_json::{Value, json};

use crate::forms::{Pair, loopback, node_under_us, own_place, port, rust, rust_under_node};
use crate::stage::skip;
use crate::support::even_share;

/// The first Node that knows `reusePort`.
const REUSE_PORT: Version = Version { major: 22, minor: 12, patch: 0 };

/// Our primary for each kind of worker that there is; whether it is Node's.
fn programs() -> Vec<(Program, bool)> {
    let mut programs = vec![(rust(), false)];
    programs.extend(Node::find_or_skip().map(|node| (node_under_us(&node), true)));
    programs
}

fn start(program: Program, is_node: bool, workers: usize) -> Pair {
    if is_node { Pair::of_node(program, workers) } else { Pair::of_rust(program, workers) }
}

fn pairs(workers: usize) -> Vec<Pair> {
    let programs = programs().into_iter();
    programs.map(|(program, is_node)| start(program, is_node, workers)).collect()
}

fn assert_shared_evenly(at: SocketAddr) {
    let report = Load::new(at).requests(40).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, even_share(2, 20));
}

#[test]
fn a_worker_has_as_many_servers_as_it_wants() {
    for mut pair in pairs(2) {
        let ports: Vec<_> = (0..4).map(|n| format!("127.0.0.1:0#{n}")).collect();
        let mut places = Vec::new();
        for worker in 1..=2 {
            for name in &ports {
                let said = pair.listen(worker, name, "127.0.0.1:0", &json!({}));
                places.push(loopback(port(&said)));
            }
        }
        let (first, second) = places.split_at(4);
        assert_eq!(first, second);
        first.iter().copied().for_each(assert_shared_evenly);
    }
}

#[test]
fn a_descriptor_of_the_primary_is_served_whatever_it_is() {
    let directory = tempfile::tempdir().unwrap();
    for (which, mut pair) in pairs(2).into_iter().enumerate() {
        pair.crew.tell("hold tcp");
        let fd = pair.crew.next("held")["fd"].clone();
        for worker in 1..=2 {
            let said = pair.listen(worker, "tcp", &format!("fd:{fd}"), &json!({}));
            assert_shared_port(worker, &said);
            if worker == 2 {
                assert_shared_evenly(loopback(port(&said)));
            }
        }
        let path = directory.path().join(which.to_string());
        pair.crew.tell(&format!("hold unix:{}", path.display()));
        let fd = pair.crew.next("held")["fd"].clone();
        for worker in 1..=2 {
            let said = pair.listen(worker, "unix", &format!("unix-fd:{fd}"), &json!({}));
            assert_eq!(said["listening"], "unix", "{said}");
        }
        let report = Load::new(path.as_path()).requests(40).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker, even_share(2, 20));
        assert!(path.exists());
    }
}

fn assert_shared_port(worker: u64, said: &Value) {
    assert_eq!(said["listening"], "tcp", "worker {worker}: {said}");
}

#[test]
fn a_tcp_descriptor_is_no_unix_listener_nor_the_reverse() {
    let directory = tempfile::tempdir().unwrap();
    for policy in ["rr", "none"] {
        let mut pair = Pair::of_rust(rust().env("NODE_CLUSTER_SCHED_POLICY", policy), 1);
        let path = directory.path().join(policy);
        for (held, on) in
            [("tcp".to_owned(), "unix-fd"), (format!("unix:{}", path.display()), "fd")]
        {
            pair.crew.tell(&format!("hold {held}"));
            let fd = pair.crew.next("held")["fd"].clone();
            let said = pair.listen(1, "it", &format!("{on}:{fd}"), &json!({}));
            assert_eq!(said["code"], "EINVAL", "{held}, {policy}: {said}");
        }
    }
}

#[test]
fn descriptor_3_that_the_primary_inherited_is_served() {
    let inherit = "import os, socket, sys\n\
        it = socket.create_server(('127.0.0.1', 0))\n\
        os.dup2(it.fileno(), 3) if it.fileno() != 3 else os.set_inheritable(3, True)\n\
        os.execv(sys.argv[1], sys.argv[1:])";
    let Some(python) = on_path("python3") else { return };
    for (program, is_node) in programs() {
        let mut pair = start(program.through(&python, ["-c", inherit]), is_node, 2);
        let mut at = None;
        for worker in 1..=2 {
            at = Some(port(&pair.listen(worker, "it", "fd:3", &json!({}))));
        }
        assert_shared_evenly(loopback(at.unwrap()));
        let listens = pair.crew.next("listening");
        assert_eq!((&listens["fd"], &listens["address"]), (&json!(3), &Value::Null));
    }
}

fn on_path(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|it| it.join(name)).find(|it| it.is_file());
    found.or_else(|| skip(&format!("{name} not found")))
}

#[test]
fn the_length_of_the_queue_is_what_the_worker_asked_for() {
    for policy in ["rr", "none"] {
        let mut programs = programs();
        programs.extend(Node::find_or_skip().map(|node| (rust_under_node(&node), false)));
        for (program, is_node) in programs {
            let program = program.env("NODE_CLUSTER_SCHED_POLICY", policy).env("POLICY", policy);
            let mut pair = start(program, is_node, 1);
            for (backlog, expected) in [(7, 7), (0, 511)] {
                let options = json!({ "backlog": backlog });
                pair.listen(1, "it", "127.0.0.1:0", &options);
                let Some(queues) = queues(&pair.crew.process) else { return };
                let limits: Vec<_> = queues.iter().map(|it| it.limit).collect();
                assert_eq!(limits, [expected], "{policy}");
                pair.close(1, "it");
            }
        }
    }
}

/// The queues of the TCP sockets that a process listens on. Says visibly where the kernel does not let us look.
fn queues(process: &Process) -> Option<Vec<Queue>> {
    let pid = Pid::from_raw(i32::try_from(process.pid()).unwrap()).unwrap();
    let process_fd = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    let (mut queues, mut seen) = (Vec::new(), BTreeSet::new());
    for (fd, is) in proc_fs::fds(process.pid()).unwrap() {
        // A shared one is watched by a descriptor of its own.
        if !seen.insert(is.clone()) {
            continue;
        }
        let fd = i32::try_from(fd).unwrap();
        match pidfd_getfd(&process_fd, fd, PidfdGetfdFlags::empty()) {
            Ok(copy) if is.starts_with("socket:") => queues.extend(accept_queue(copy.as_fd())),
            Ok(_) | Err(rustix::io::Errno::BADF) => {}
            Err(errno) => return skip(&format!("pidfd_getfd: {errno}")),
        }
    }
    Some(queues)
}

/// Whether this machine has IPv6. Says so where it has not.
fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    has || skip::<()>("this machine has no IPv6").is_some()
}

#[test]
fn ipv6_only_leaves_the_port_to_ipv4_in_every_worker() {
    if !has_ipv6() {
        return;
    }
    for mut pair in pairs(3) {
        let only = json!({ "ipv6_only": true });
        let ports: Vec<_> =
            (1..=3).map(|worker| port(&pair.listen(worker, "it", "[::]:0", &only))).collect();
        assert_eq!(ports, vec![ports[0]; 3]);
        let _free = TcpListener::bind((own_place().ip(), ports[0])).unwrap();
        Load::new(SocketAddr::from((Ipv6Addr::LOCALHOST, ports[0])))
            .requests(9)
            .run()
            .assert_all_ok();
    }
}

#[test]
fn every_address_of_both_families_is_served_unless_told_otherwise() {
    if !has_ipv6() {
        return;
    }
    for mut pair in pairs(3) {
        for on in [":0", "[::]:0"] {
            let ports: Vec<_> =
                (1..=3).map(|worker| port(&pair.listen(worker, on, on, &json!({})))).collect();
            assert_eq!(ports, vec![ports[0]; 3]);
            for ip in [Ipv4Addr::LOCALHOST.into(), std::net::IpAddr::from(Ipv6Addr::LOCALHOST)] {
                let report = Load::new(SocketAddr::new(ip, ports[0])).requests(9).run();
                report.assert_all_ok();
                assert_eq!(report.by_worker, even_share(3, 3), "{on} by {ip}");
            }
        }
    }
}

#[test]
fn the_zone_of_an_address_is_understood_by_name_and_by_number_and_shown_as_node_shows_it() {
    // A network of its own, whose loopback interface has an address with a zone.
    let script = "ip link set lo up && ip addr add fe80::1/64 dev lo && exec \"$0\" \"$@\"";
    let shell = ["-rn", "sh", "-c", script];
    let test = std::process::Command::new("unshare").args(shell).arg("true").output();
    if !test.is_ok_and(|it| it.status.success()) {
        return skip("unshare -rn with ip is not possible here").unwrap_or_default();
    }
    let unshare = std::path::Path::new("unshare");
    let mut pair = Pair::of_rust(rust().through(unshare, shell), 1);
    for on in ["[fe80::1%lo]:0", "[fe80::1%1]:0"] {
        let said = pair.listen(1, on, on, &json!({}));
        // The standard library writes the zone's number.
        assert_eq!(said["text"], format!("[fe80::1%1]:{}", port(&said)), "{said}");
    }
    let node = require_node!();
    let under = |program: Program| {
        let mut pair = Pair::of_node(program.through(unshare, shell), 1);
        let said = pair.listen(1, "it", "[fe80::1%lo]:0", &json!({}));
        said["address"].clone()
    };
    assert_eq!(under(node_under_us(&node)), "fe80::1%lo");
    assert_eq!(under(crate::forms::node_alone(&node)), "fe80::1%lo");
}

#[test]
fn workers_that_reuse_a_port_share_it_and_the_primary_is_not_asked() {
    let mut pairs = vec![Pair::of_rust(rust(), 2)];
    if let Some(node) = Node::find_or_skip() {
        if node.version() >= REUSE_PORT {
            pairs.push(Pair::of_node(node_under_us(&node), 2));
        } else {
            skip::<()>("this Node does not know reusePort");
        }
    }
    for mut pair in pairs {
        let at = own_place();
        for worker in 1..=2 {
            let said = pair.listen(worker, "it", &at.to_string(), &json!({ "reuse_port": true }));
            assert_eq!(said["port"], at.port(), "{said}");
        }
        assert_eq!(pair.crew.snapshot()["listeners"], json!([]));
        let report = Load::new(at).requests(400).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.len(), 2, "the kernel spreads: {:?}", report.by_worker);
        pair.close(1, "it");
        Load::new(at).requests(20).run().assert_all_ok();
    }
}

#[test]
fn a_node_that_does_not_know_it_asks_as_ever() {
    let node = require_node!();
    if node.version() >= REUSE_PORT {
        return skip("this Node knows reusePort").unwrap_or_default();
    }
    let mut pair = Pair::of_node(node_under_us(&node), 2);
    let reuse = json!({ "reuse_port": true });
    let ports: Vec<_> =
        (1..=2).map(|worker| port(&pair.listen(worker, "it", "127.0.0.1:0", &reuse))).collect();
    assert_eq!(ports[0], ports[1]);
    assert_shared_evenly(loopback(ports[0]));
}

#[test]
fn an_exclusive_port_belongs_to_one_worker_and_the_primary_is_not_asked() {
    for mut pair in pairs(2) {
        let at = own_place();
        let exclusive = json!({ "exclusive": true });
        assert_eq!(pair.listen(1, "it", &at.to_string(), &exclusive)["port"], at.port());
        let taken = pair.listen(2, "it", &at.to_string(), &exclusive);
        assert_eq!(taken["code"], "EADDRINUSE", "{taken}");
        assert_eq!(pair.crew.snapshot()["listeners"], json!([]));
        let report = Load::new(at).requests(20).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker, [("1".to_owned(), 20)].into());
        pair.close(1, "it");
        assert!(TcpStream::connect(at).is_err());
        assert_eq!(pair.listen(2, "it", &at.to_string(), &exclusive)["port"], at.port());
    }
}
