//! UDP through the primary: one socket for all workers, several for one, and their end.
//!
//! What Node's own suite asserts of it is asserted of every pairing: our worker under our primary and under Node's,
//! Node's worker under our primary.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};
use serde_json::{Value, json};

use crate::support::{Crew, HANG, primary};

const WORKER: &str = env!("CARGO_BIN_EXE_fixture-udp");
const ADDRESS_IN_USE: i32 = 98;
const INVALID: i32 = 22;

/// Who is primary, and who is worker.
struct Pair {
    name: &'static str,
    crew: Crew,
    /// What its events call a worker's number.
    id: &'static str,
}

impl Pair {
    /// Every pairing, each with so many workers; without Node, ours alone.
    fn all(workers: u64) -> impl Iterator<Item = Self> {
        let node = Node::find_or_skip();
        let ours = Self::new("ours alone", primary(WORKER), "worker", workers);
        let others = node.into_iter().flat_map(move |node| {
            let under_node = node.fixture("node_primary.js").arg(WORKER).stdin_pipe();
            let under_us = primary(node.path()).arg(fixture("udp.js"));
            [("ours under Node's", under_node, "id"), ("Node's under ours", under_us, "worker")]
                .map(|(name, program, id)| Self::new(name, program, id, workers))
        });
        std::iter::once(ours).chain(others)
    }

    fn new(name: &'static str, program: Program, id: &'static str, workers: u64) -> Self {
        let mut crew = Crew::start(program.env_remove("ADDRESS"));
        crew.tell(&format!("fork {workers}"));
        for _ in 0..workers {
            crew.next("online");
        }
        Self { name, crew, id }
    }

    fn is_under_us(&self) -> bool {
        self.id == "worker"
    }

    fn tell(&mut self, worker: u64, order: &Value) {
        self.crew.tell(&format!("send {worker} {order}"));
    }

    /// The next message of that worker that has this field.
    fn hears(&self, worker: u64, field: &str) -> Value {
        let wanted = |it: &Value| it[self.id] == worker && it["message"].get(field).is_some();
        self.crew.next_where("message", wanted)["message"].clone()
    }

    /// Where that worker has bound it.
    fn bind(&mut self, worker: u64, order: &Value) -> SocketAddr {
        self.tell(worker, order);
        let address = self.hears(worker, "address");
        assert_eq!(address["bound"], order["name"], "{}: {address}", self.name);
        address["address"].as_str().unwrap().parse().unwrap()
    }

    /// The error number with which it could not be bound.
    fn refused(&mut self, worker: u64, order: &Value) -> i32 {
        self.tell(worker, order);
        i32::try_from(self.hears(worker, "refused")["errno"].as_i64().unwrap()).unwrap()
    }

    fn close(&mut self, worker: u64, name: &str) {
        self.tell(worker, &json!({ "op": "close", "name": name }));
        assert_eq!(self.hears(worker, "ended")["ended"], name);
    }
}

/// An address of this test alone, with any port: a port that is free there stays so until it is wanted again.
fn own_loopback() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let host = NEXT.fetch_add(1, Ordering::Relaxed);
    (Ipv4Addr::new(127, 0, 2, host), 0).into()
}

fn order(name: &str, address: &impl ToString) -> Value {
    json!({ "op": "bind", "name": name, "address": address.to_string() })
}

fn with(mut order: Value, field: &str, value: impl Into<Value>) -> Value {
    order[field] = value.into();
    order
}

struct Client(UdpSocket);

impl Client {
    fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        Self(socket)
    }

    /// Who answers a datagram.
    fn ask(&self, at: SocketAddr) -> String {
        self.0.send_to(b"who?", at).unwrap();
        self.answer()
    }

    fn answer(&self) -> String {
        let mut answer = [0; 64];
        let length = self.0.recv(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }
}

fn ask(at: SocketAddr) -> String {
    Client::new().ask(at)
}

fn until_free(at: SocketAddr) {
    eventually("the port is free", HANG, || UdpSocket::bind(at).ok().map(drop));
}

/// The UDP sockets over IPv4 that `pid` has, each with its descriptor.
fn udp_sockets(pid: u32) -> Vec<(u32, SocketAddr)> {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let mut found = Vec::new();
    for (fd, is) in proc_fs::fds(pid).unwrap() {
        let rows =
            table.lines().skip(1).map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
        let mut own = rows.filter(|row| is == format!("socket:[{}]", row[9]));
        found.extend(own.next().map(|row| (fd, crate::support::socket_address(row[1]))));
    }
    found
}

#[test]
fn four_workers_share_one_socket_and_each_receives_its_ten_datagrams() {
    for mut pair in Pair::all(4) {
        let here = own_loopback();
        let bind = with(order("a", &here), "quota", 10);
        let places: Vec<_> = (1..=4).map(|worker| pair.bind(worker, &bind)).collect();
        assert!(places.iter().all(|it| *it == places[0]), "{}: {places:?}", pair.name);
        for _ in 0..4 {
            let event = pair.crew.next("listening");
            assert_eq!(event["port"], places[0].port(), "{}: {event}", pair.name);
            let kind = if pair.is_under_us() { &event["type"] } else { &event["addressType"] };
            let expected = if pair.is_under_us() { "Udp4" } else { "udp4" };
            assert_eq!(kind, expected, "{}: {event}", pair.name);
        }
        let client = Client::new();
        let mut share = BTreeMap::new();
        for _ in 0..40 {
            *share.entry(client.ask(places[0])).or_insert(0) += 1;
        }
        let even = (1..=4).map(|worker| (format!("worker {worker} a"), 10)).collect();
        assert_eq!(share, even, "{}", pair.name);
        until_free(places[0]);
    }
}

#[test]
fn two_sockets_of_one_worker_have_two_ports_which_others_share_in_pairs() {
    for mut pair in Pair::all(2) {
        let here = own_loopback();
        let places =
            [1, 2].map(|worker| ["a", "b"].map(|name| pair.bind(worker, &order(name, &here))));
        assert_eq!(places[0], places[1], "{}", pair.name);
        assert_ne!(places[0][0], places[0][1], "{}", pair.name);
        for (at, name) in places[0].into_iter().zip(["a", "b"]) {
            assert!(ask(at).ends_with(name), "{}", pair.name);
        }
        // The other worker's are not touched by the end of one's.
        pair.close(1, "a");
        assert_eq!(ask(places[0][0]), "worker 2 a", "{}", pair.name);
        pair.close(2, "a");
        until_free(places[0][0]);
        assert!(ask(places[0][1]).ends_with('b'), "{}", pair.name);
    }
}

#[test]
fn sockets_that_are_bound_given_up_and_closed_over_and_over_leave_nothing() {
    for mut pair in Pair::all(1) {
        let here = own_loopback();
        let before = udp_sockets(pair.crew.pid()).len();
        let taken = UdpSocket::bind(here).unwrap();
        let fixed = pair.bind(1, &order("fixed", &here));
        pair.close(1, "fixed");
        for round in 0..10 {
            pair.tell(1, &json!({ "op": "abandon", "address": here }));
            // What was given up may come with an error.
            let nowhere = taken.local_addr().unwrap();
            pair.tell(1, &json!({ "op": "abandon", "address": nowhere }));
            let place = if round % 2 == 0 { here } else { fixed };
            let at = pair.bind(1, &order("a", &place));
            assert_eq!(ask(at), "worker 1 a", "{} {round}", pair.name);
            pair.close(1, "a");
        }
        let now = || (udp_sockets(pair.crew.pid()).len() == before).then_some(());
        eventually("the primary has closed them all", HANG, now);
        until_free(fixed);
    }
}

#[test]
fn a_taken_port_is_an_error_and_serves_once_it_is_free() {
    for mut pair in Pair::all(1) {
        let here = own_loopback();
        let taken = UdpSocket::bind(here).unwrap();
        let at = taken.local_addr().unwrap();
        assert_eq!(pair.refused(1, &order("a", &at)), ADDRESS_IN_USE, "{}", pair.name);
        if pair.is_under_us() {
            assert_eq!(pair.crew.next("listen-failed")["errno"], ADDRESS_IN_USE);
        }
        drop(taken);
        assert_eq!(pair.bind(1, &order("b", &at)), at);
        assert_eq!(ask(at), "worker 1 b", "{}", pair.name);
    }
}

#[test]
fn only_a_reused_address_has_two_sockets_of_one_worker() {
    for mut pair in Pair::all(2) {
        let here = own_loopback();
        let reuse = |name: &str, at: SocketAddr| {
            with(order(name, &at), "options", json!(["reuse_address"]))
        };
        let at = pair.bind(1, &reuse("a", here));
        pair.close(1, "a");
        assert_eq!(pair.bind(1, &reuse("b", at)), at, "{}", pair.name);
        assert_eq!(pair.bind(1, &reuse("c", at)), at, "{}", pair.name);
        assert_eq!(pair.bind(2, &reuse("b", at)), at, "{}", pair.name);
        assert_eq!(pair.bind(2, &reuse("c", at)), at, "{}", pair.name);
        pair.close(1, "b");
        pair.close(2, "b");
        assert!(ask(at).ends_with('c'), "{}", pair.name);
        pair.close(1, "c");
        pair.close(2, "c");
        until_free(at);
        assert_eq!(pair.bind(1, &order("d", &at)), at, "{}", pair.name);
        assert_eq!(pair.refused(1, &order("e", &at)), ADDRESS_IN_USE, "{}", pair.name);
    }
}

#[test]
fn whether_an_ipv6_socket_is_for_ipv4_too_is_the_workers_to_say() {
    for mut pair in Pair::all(1) {
        // An IPv4 address in the form of IPv6: a socket of both families has it, one of IPv6 alone cannot.
        let mapped = "[::ffff:127.0.0.1]:0";
        let both = pair.bind(1, &order("a", &mapped));
        assert_eq!(ask((Ipv4Addr::LOCALHOST, both.port()).into()), "worker 1 a", "{}", pair.name);
        let only = with(order("b", &mapped), "options", json!(["ipv6_only"]));
        assert_eq!(pair.refused(1, &only), INVALID, "{}", pair.name);
        let loopback = with(order("c", &"[::1]:0"), "options", json!(["ipv6_only"]));
        assert!(pair.bind(1, &loopback).is_ipv6());
    }
}

#[test]
fn of_what_is_bound_in_the_worker_the_primary_knows_nothing() {
    for mut pair in Pair::all(1) {
        let own = |name: &str, at: &str, how: &str| with(order(name, &at), "options", json!([how]));
        let exclusive = pair.bind(1, &own("a", "127.0.0.1:0", "exclusive"));
        assert_eq!(udp_sockets(pair.crew.pid()), []);
        assert_eq!(ask(exclusive), "worker 1 a", "{}", pair.name);
        if pair.name != "Node's under ours" {
            let beside = pair.bind(1, &own("b", "127.0.0.1:0", "reuse_port")).to_string();
            assert_eq!(pair.bind(1, &own("c", &beside, "reuse_port")).to_string(), beside);
            assert_eq!(udp_sockets(pair.crew.pid()), []);
        }
        // The first that it hears of is the first that it was asked for.
        let asked = pair.bind(1, &order("d", &"127.0.0.1:0"));
        assert_eq!(pair.crew.next("listening")["port"], asked.port(), "{}", pair.name);
    }
}

#[test]
fn a_socket_of_the_primary_is_had_by_its_number() {
    for mut pair in Pair::all(2) {
        let at = pair.bind(1, &order("a", &"127.0.0.1:0"));
        pair.crew.next("listening");
        let fd = udp_sockets(pair.crew.pid())[0].0;
        let by_number = json!({ "op": "bind", "name": "b", "fd": fd });
        assert_eq!(pair.bind(2, &by_number), at, "{}", pair.name);
        let event = pair.crew.next("listening");
        assert_eq!(event["port"], at.port(), "{}: {event}", pair.name);
        pair.close(1, "a");
        assert_eq!(ask(at), "worker 2 b", "{}", pair.name);
    }
}

#[test]
fn a_worker_that_is_told_to_leave_receives_no_more_and_the_others_go_on() {
    for mut pair in Pair::all(2) {
        let here = own_loopback();
        let at = pair.bind(1, &order("a", &here));
        assert_eq!(pair.bind(2, &order("a", &here)), at);
        for worker in [1, 2] {
            pair.crew.tell(&format!("disconnect {worker}"));
            let exit = pair.crew.next("exit");
            assert_eq!((&exit[pair.id], &exit["code"]), (&json!(worker), &json!(0)));
            if worker == 1 {
                for _ in 0..5 {
                    assert_eq!(ask(at), "worker 2 a", "{}", pair.name);
                }
            }
        }
        until_free(at);
    }
}

#[test]
fn what_a_dead_worker_did_not_receive_its_successor_does() {
    let mut pair = Pair::new("ours", primary(WORKER), "worker", 1);
    let at = pair.bind(1, &order("a", &"127.0.0.1:0"));
    assert_eq!(ask(at), "worker 1 a");
    pair.crew.tell("kill 1 SIGKILL");
    pair.crew.next("exit");
    let clients: Vec<_> = (0..20).map(|_| Client::new()).collect();
    for client in &clients {
        client.0.send_to(b"who?", at).unwrap();
    }
    pair.crew.tell("fork 1");
    pair.crew.next("online");
    assert_eq!(pair.bind(2, &order("a", &"127.0.0.1:0")), at);
    for client in clients {
        assert_eq!(client.answer(), "worker 2 a");
    }
}

#[test]
fn a_reload_answers_every_datagram() {
    let program = primary(WORKER).env("ADDRESS", "127.0.0.1:0").env("STABLE_MS", "50");
    let mut crew = Crew::start(program);
    crew.tell("start 2");
    let at = crew.listening(2);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let client = Client::new();
            let mut answered = 0;
            // Without a second try: one that gets no answer fails by the time limit.
            while !over.load(Ordering::Relaxed) {
                client.ask(at);
                answered += 1;
            }
            answered
        });
        crew.tell("reload");
        for _ in 0..2 {
            assert_eq!(crew.next("exit")["planned"], true);
        }
        over.store(true, Ordering::Relaxed);
        println!("{} datagrams answered during a reload", asking.join().unwrap());
    });
    let left = ask(at);
    assert!(["worker 3 first", "worker 4 first"].contains(&left.as_str()), "{left}");
}

#[test]
fn the_example_udp_echo_answers_and_stops() {
    let mut process = Program::new(example("udp_echo")).env("PORT", "0").start();
    let pid = process.pid();
    let (_, at) = eventually("it is bound", HANG, || udp_sockets(pid).first().copied());
    let client = Client::new();
    for _ in 0..100 {
        let answer = client.ask(at);
        assert!(answer.starts_with("worker ") && answer.ends_with(": who?"), "{answer}");
    }
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
    until_free(at);
}
