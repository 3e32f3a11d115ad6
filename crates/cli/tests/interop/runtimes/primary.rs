//! The other way round: a runtime's own primary, and workers of ours.

use std::net::{Ipv4Addr, SocketAddr};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Mark, Process, Program};
use serde_json::{Value, json};

use super::gap::Gap;
use super::programs::WORKER;
use super::row::Seen;
use super::runtime::{Kind, Runtime};
use crate::crew::HANG;

pub(crate) fn in_turn(runtime: &Runtime) -> Seen {
    let place = leads(runtime, "rr")?;
    let report = Load::new(place.address).requests(100).run();
    report.assert_all_ok();
    // Node passes over a worker whose answer it has not read yet, so its shares are not exact.
    assert_eq!(report.by_worker.len(), 2, "{report}");
    place.ends()
}

pub(crate) fn shared(runtime: &Runtime) -> Seen {
    let place = leads(runtime, "none")?;
    Load::new(place.address).clients(8).requests(200).run().assert_all_ok();
    place.ends()
}

/// A primary of the runtime with two Rust workers.
struct Led {
    process: Process,
    mark: Mark,
    address: SocketAddr,
}

fn leads(runtime: &Runtime, policy: &str) -> Result<Led, Gap> {
    if !matches!(runtime.kind, Kind::Node(_)) {
        return Err(Gap::NotAttempted);
    }
    let program = Program::new(&runtime.program)
        .arg(fixture("node_primary.js"))
        .arg(&*WORKER)
        .env_remove("NODE_OPTIONS")
        .env("POLICY", policy)
        .env("WORKERS", "2")
        .stdin_pipe();
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let mut led = Led { process: program.start(), mark: Mark::default(), address };
    for _ in 0..2 {
        let port = led.next("listening")["port"].as_u64().unwrap();
        led.address.set_port(u16::try_from(port).unwrap());
    }
    Ok(led)
}

impl Led {
    fn next(&mut self, kind: &str) -> Value {
        let read = |line: &str| -> Option<Value> {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == kind).then_some(event)
        };
        let line = self.process.wait_line_after(self.mark, |line| read(line).is_some(), HANG);
        self.mark = line.mark;
        read(&line.text).unwrap()
    }

    /// A message there and back, and both leave as planned.
    fn ends(mut self) -> Seen {
        self.process.write_line(r#"send 2 {"to":"rust"}"#);
        assert_eq!(self.next("message")["message"], json!({ "echo": { "to": "rust" } }));
        self.process.write_line("disconnect");
        for _ in 0..2 {
            let exit = self.next("exit");
            let seen = (&exit["code"], &exit["exitedAfterDisconnect"]);
            assert_eq!(seen, (&json!(0), &json!(true)));
        }
        Ok(())
    }
}
