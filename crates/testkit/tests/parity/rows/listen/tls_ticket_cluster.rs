//! The workers of a TLS server have the keys of its tickets in common.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use portcrew::{Listen, Role};
use portcrew_testkit::node::fixture;
use portcrew_testkit::tls::{Certificate, TlsClient};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-tls-ticket-cluster",
    asserts: "of 16 TLS connections to 4 workers 15 resume their session: what the first worker brings as data is had by all",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(resumes).needs(has_openssl),
        Proof::node_rust(shares_under_node),
        Proof::rust_rust(shares),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: u32 = 4;
const CONNECTIONS: usize = 16;

fn resumes(world: &World) {
    let certificate = Certificate::make_or_skip().expect("openssl is there");
    let mut workers = world.node_workers("");
    workers.args = vec![fixture("tls_hello.js").into()];
    let workers = workers.env("TLS_KEY", certificate.key()).env("TLS_CERT", certificate.cert());
    world.run(async {
        let mut primary = Primary::new(workers.silent());
        let mut ports = Vec::new();
        for _ in 0..WORKERS {
            primary.fork().await;
            ports.push(primary.port().await);
        }
        let address = (Ipv4Addr::LOCALHOST, ports[0]).into();
        let mut client = TlsClient::start(world.node(), &certificate, address, "TLSv1.3");
        let connections = client.connect_times(CONNECTIONS);
        let resumed = connections.iter().filter(|it| it.reused).count();
        assert_eq!(resumed, CONNECTIONS - 1, "{connections:?}");
        for worker in 1..=u64::from(WORKERS) {
            let of_worker = connections.iter().filter(|it| it.worker == worker).count();
            assert_eq!(of_worker, 4, "{connections:?}");
        }
        primary.end().await;
    });
}

// A Rust server's keys are its own affair: what is asked of us is that all workers have the first one's.
fn shares(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.rust_workers("worker"));
        for _ in 0..WORKERS {
            let worker = primary.fork().await;
            assert_eq!(primary.message_of::<Value>(worker.id()).await, json!("keys of worker 1"));
        }
        primary.end().await;
    });
}

fn shares_under_node(world: &World) {
    let mut primary = world.node_primary("worker", "obey();");
    for _ in 0..WORKERS {
        primary.fork(&[]);
        assert_eq!(primary.next("message")["message"], "keys of worker 1");
    }
    primary.all_leave(WORKERS as usize);
}

fn has_openssl(_: &World) -> Result<(), String> {
    let mut openssl = Command::new("openssl");
    openssl.arg("version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    openssl.status().map(drop).map_err(|error| format!("openssl: {error}"))
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let own = format!("keys of worker {}", worker.id());
        let address = Listen::from("127.0.0.1:0").data(&own).expect("text has a JSON form");
        let listener = worker.listen(address).await.expect("a free port");
        let data: Option<Value> = listener.data().expect("JSON");
        worker.send(&data).expect("connected");
        worker.draining().await;
    });
}
