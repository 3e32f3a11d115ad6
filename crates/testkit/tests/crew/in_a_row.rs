//! Several connections on their way to one Node worker at a time.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::eventually;
use portcrew_testkit::require_node;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Crew, HANG, address, primary};

/// The servers of `doors.js`. Each is a listener, so each may have a connection on its way.
const DOORS: usize = 8;

/// One worker that does nothing until it is let go, and a connection for each of its servers that it cannot have
/// read.
struct Scene {
    crew: Crew,
    clients: Vec<TcpStream>,
    go: PathBuf,
    _directory: TempDir,
}

impl Scene {
    fn new(node: &std::path::Path) -> Self {
        let mut crew = Crew::start(primary(node).arg(fixture("doors.js")));
        crew.tell("fork");
        let doors: Vec<SocketAddr> = (0..DOORS).map(|_| address(&crew.next("listening"))).collect();
        let directory = tempfile::tempdir().unwrap();
        let go = directory.path().join("go");
        crew.tell(&format!("send 1 {}", json!({ "op": "block", "until": go })));
        assert_eq!(crew.message(1), json!({ "blocked": true }));
        let clients = doors.iter().map(|door| TcpStream::connect(door).unwrap()).collect();
        eventually("all are offered", HANG, || (crew.snapshot()["offered"] == DOORS).then_some(()));
        Self { crew, clients, go, _directory: directory }
    }

    fn let_go(&self) {
        std::fs::write(&self.go, "").unwrap();
    }

    /// Each client is answered by the server that it asked.
    fn assert_answered(&mut self) {
        for (door, client) in self.clients.iter_mut().enumerate() {
            client.set_read_timeout(Some(HANG)).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            assert_eq!(answer, format!("door {door}\n"));
        }
    }

    fn noted(&mut self, worker: u64) -> Value {
        self.crew.tell(&format!(r#"send {worker} {{"op":"noted"}}"#));
        self.crew.message(worker)["noted"].clone()
    }
}

#[test]
fn connections_to_a_busy_worker_and_a_message_behind_them_come_to_it_in_their_order() {
    let node = require_node!();
    let mut scene = Scene::new(node.path());
    scene.crew.tell(r#"send 1 "behind""#);
    scene.let_go();
    scene.assert_answered();
    let mut expected = vec![json!("connection"); DOORS];
    expected.push(json!("behind"));
    assert_eq!(scene.noted(1), Value::from(expected));
}

#[test]
fn connections_that_a_killed_worker_had_not_read_are_answered_by_the_next() {
    let node = require_node!();
    let mut scene = Scene::new(node.path());
    scene.crew.tell("kill 1 SIGKILL");
    scene.crew.next("exit");
    scene.crew.tell("fork");
    scene.assert_answered();
    let counts = scene.crew.snapshot();
    assert_eq!(counts["offered_again"], DOORS, "{counts}");
}
