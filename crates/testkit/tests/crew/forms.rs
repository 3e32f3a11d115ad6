//! Workers that listen as they are told, ours and Node's, under a primary of ours or of Node's.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::Program;
use serde_json::{Value, json};

use crate::support::{Crew, primary};

/// The worker of the library that listens as messages say.
pub(crate) const LISTENER: &str = env!("CARGO_BIN_EXE_fixture-listener");

/// A primary with workers that understand orders.
pub(crate) struct Pair {
    pub(crate) crew: Crew,
    /// The workers are Node's.
    is_node: bool,
}

/// Our primary and our workers.
pub(crate) fn rust() -> Program {
    primary(LISTENER)
}

/// Our primary and Node's workers.
pub(crate) fn node_under_us(node: &Node) -> Program {
    primary(node.path()).arg(fixture("listener.js"))
}

/// Node's primary and our workers.
pub(crate) fn rust_under_node(node: &Node) -> Program {
    node.fixture("node_primary.js").arg(LISTENER).stdin_pipe()
}

/// Node's primary and workers: what all others are held against.
pub(crate) fn node_alone(node: &Node) -> Program {
    node.fixture("node_primary.js").arg(node.path()).arg(fixture("listener.js")).stdin_pipe()
}

impl Pair {
    /// With this many workers, which are there.
    pub(crate) fn of_rust(program: Program, workers: usize) -> Self {
        Self::start(program, workers, false)
    }

    /// As [`of_rust`](Self::of_rust), for workers of Node.
    pub(crate) fn of_node(program: Program, workers: usize) -> Self {
        Self::start(program, workers, true)
    }

    fn start(program: Program, workers: usize, is_node: bool) -> Self {
        let mut crew = Crew::start(program);
        crew.tell(&format!("fork {workers}"));
        for _ in 0..workers {
            crew.next("online");
        }
        Self { crew, is_node }
    }

    /// The same crew, when the workers that come now are Node's.
    pub(crate) fn into_node(mut self) -> Self {
        self.is_node = true;
        self
    }

    /// Tells a worker to listen; `options` in our own words.
    pub(crate) fn tell_listen(&mut self, worker: u64, name: &str, on: &str, options: &Value) {
        self.order(worker, "listen", name, on, options);
    }

    /// Lets a worker listen. What came of it.
    pub(crate) fn listen(&mut self, worker: u64, name: &str, on: &str, options: &Value) -> Value {
        self.tell_listen(worker, name, on, options);
        self.crew.message(worker)
    }

    /// Lets a worker listen where it can. The port.
    pub(crate) fn listens(&mut self, worker: u64, on: &str) -> u16 {
        port(&self.listen(worker, on, on, &json!({})))
    }

    /// Lets a worker listen, give that up at once, and listen again. What came of the second.
    pub(crate) fn again(&mut self, worker: u64, name: &str, on: &str) -> Value {
        self.order(worker, "again", name, on, &json!({}));
        self.crew.message(worker)
    }

    /// Lets a worker of ours close a listener from which it accepts, and listen again at once. What came of it.
    pub(crate) fn reopen(&mut self, worker: u64, name: &str, on: &str) -> Value {
        self.order(worker, "reopen", name, on, &json!({}));
        self.crew.message(worker)
    }

    /// Lets a worker close a listener.
    pub(crate) fn close(&mut self, worker: u64, name: &str) {
        self.say(worker, &json!({ "op": "close", "name": name }));
        assert_eq!(self.crew.message(worker), json!({ "closed": name }));
    }

    pub(crate) fn say(&mut self, worker: u64, order: &Value) {
        self.crew.tell(&format!("send {worker} {order}"));
    }

    fn order(&mut self, worker: u64, op: &str, name: &str, on: &str, options: &Value) {
        let order = if self.is_node {
            json!({ "op": op, "name": name, "options": in_node(on, options),
                "max": options["max"], "drop": options["drop"] })
        } else {
            let mut order = json!({ "op": op, "name": name, "on": on });
            let options = options.as_object().unwrap().clone();
            order.as_object_mut().unwrap().extend(options);
            order
        };
        self.say(worker, &without_nulls(order));
    }
}

/// The port that a worker says it got.
pub(crate) fn port(said: &Value) -> u16 {
    let port = said["port"].as_u64().unwrap_or_else(|| panic!("it does not listen: {said}"));
    u16::try_from(port).unwrap()
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// A fixed address that nobody else uses: not another test, nor a client's end of a connection, which are at
/// 127.0.0.1.
pub(crate) fn own_place() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let ip = Ipv4Addr::new(127, 64 | (high & 63), low, NEXT.fetch_add(1, Ordering::Relaxed));
    (ip, 8000).into()
}

/// The same for `net.Server#listen`.
fn in_node(on: &str, options: &Value) -> Value {
    let mut out = json!({
        "backlog": options["backlog"], "ipv6Only": options["ipv6_only"],
        "exclusive": options["exclusive"], "reusePort": options["reuse_port"],
        "readableAll": options["everybody"], "writableAll": options["everybody"],
    });
    if let Some(path) = on.strip_prefix("unix:") {
        out["path"] = path.into();
    } else if let Some((_, fd)) = on.split_once("fd:") {
        out["fd"] = fd.parse::<i32>().unwrap().into();
    } else {
        let (host, port) = on.rsplit_once(':').unwrap();
        out["port"] = port.parse::<u16>().unwrap().into();
        if !host.is_empty() {
            out["host"] = host.trim_matches(['[', ']']).into();
        }
    }
    without_nulls(out)
}

fn without_nulls(mut value: Value) -> Value {
    value.as_object_mut().unwrap().retain(|_, it| !it.is_null());
    value
}
