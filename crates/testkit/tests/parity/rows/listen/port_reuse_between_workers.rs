//! One fixed port goes round: asked for twice by one worker, closed, and then had by the next.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use portcrew::{Listener, Role, Worker};
use portcrew_testkit::process::Program;

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{ASIDE, NodeProcess, refusal, said_by, stop_listening};
use crate::{part, tell};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-port-reuse-between-workers",
    asserts: "a worker that listens twice on one fixed port gets an error that it can catch; after it has closed, worker 2 \
              and then worker 1 listen there",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| goes_round(world.rust_primary(&world.node_workers(NODE_WORKER)))),
        Proof::node_rust(|world| goes_round(world.node_program("worker", "obey();"))),
        Proof::rust_rust(|world| goes_round(world.rust_primary(&world.rust_workers("worker")))),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

const NODE_WORKER: &str = r"
const net = require('node:net');
const { PARITY_HOST: host, PARITY_PORT: port, PARITY_NAME: name } = process.env;
const open = [];
const orders = {
  open: () => {
    const server = net.createServer((client) => client.end(name));
    server.on('error', (error) => say(error.code));
    server.listen({ host, port }, () => { open.push(server); say('open'); });
  },
  close: () => open.pop().close(() => say('closed')),
};
process.on('message', (order) => orders[order]());
";

/// Who is told what, what comes of it, and whose the port is then.
const STEPS: [(u32, &str, &str, Option<&str>); 8] = [
    (1, "open", "open", Some("one")),
    (1, "open", "EADDRINUSE", Some("one")),
    (1, "close", "closed", None),
    (2, "open", "open", Some("two")),
    (2, "close", "closed", None),
    (1, "open", "open", Some("one")),
    (2, "open", "open", None),
    (1, "close", "closed", Some("two")),
];

// Every primary has a process of its own: here, where other tests start processes, a port is not free at once when it
// was closed.
fn goes_round(primary: Program) {
    let listener = TcpListener::bind((ASIDE, 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    stop_listening(&listener);
    let primary = primary.env("PARITY_HOST", ASIDE.to_string());
    let mut primary = NodeProcess::start(primary.env("PARITY_PORT", port.to_string()));
    for name in ["one", "two"] {
        primary.fork(&[format!("PARITY_NAME={name}")]);
        primary.next("online");
    }
    for (worker, order, outcome, owner) in STEPS {
        primary.send(worker, order);
        let said = primary.next("message");
        assert!(said["worker"] == worker && said["message"] == outcome, "{said}");
        check(port, owner);
    }
    primary.all_leave(2);
}

fn check(port: u16, owner: Option<&str>) {
    if let Some(owner) = owner {
        assert_eq!(said_by((ASIDE, port)), owner);
    }
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let mut open = Vec::new();
        loop {
            tokio::select! {
                order = part::word(&worker) => match &*order {
                    "open" => open.extend(listen(&worker).await),
                    _ => close(&worker, open.pop()),
                },
                () = worker.draining() => return,
            }
        }
    });
}

async fn listen(worker: &Worker) -> Option<Arc<Listener>> {
    let address: (IpAddr, u16) = (part::variable("PARITY_HOST"), part::variable("PARITY_PORT"));
    match worker.listen(address).await {
        Ok(listener) => {
            worker.send("open").expect("connected");
            Some(part::serving(listener, String::leak(part::variable("PARITY_NAME"))))
        }
        Err(error) => {
            worker.send(&refusal(&error)["code"]).expect("connected");
            None
        }
    }
}

fn close(worker: &Worker, listener: Option<Arc<Listener>>) {
    listener.expect("it is open").close();
    worker.send("closed").expect("connected");
}
