//! One crew of a runtime under a primary of the library, led word by word.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use portcrew_testkit::process::{Mark, Process, Program, Signal};
use serde_json::{Value, json};

use super::programs::PRIMARY;
use super::runtime::Runtime;
use crate::crew::HANG;

/// The script that every runtime runs.
pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/runtimes/worker.cjs")
}

/// A fixture primary with workers of the script.
pub(crate) struct Bench {
    process: Process,
    /// Behind the last event that was taken, per worker; 0 is the primary.
    marks: RefCell<HashMap<u64, Mark>>,
}

/// What a worker got for its `listen`.
pub(crate) enum Listened {
    /// A port; none for a path.
    On(Option<u16>),
    /// The code of the error.
    Failed(String),
}

impl Bench {
    /// A primary without workers, in such an environment.
    pub(crate) fn new(runtime: &Runtime, env: &[(&str, &str)]) -> Self {
        let program = Program::new(&*PRIMARY).args(runtime.command(script()));
        let program = env.iter().fold(program, |program, (name, value)| program.env(name, value));
        let program =
            program.env_remove("NODE_OPTIONS").name(format!("primary of {}", runtime.name));
        let bench = Self { process: program.stdin_pipe().start(), marks: RefCell::default() };
        bench.event(0, |event| event["event"] == "ready");
        bench
    }

    /// With so many workers that are online.
    pub(crate) fn with(runtime: &Runtime, workers: u64, env: &[(&str, &str)]) -> Self {
        let mut bench = Self::new(runtime, env);
        bench.tell(&format!("fork {workers}"));
        for worker in 1..=workers {
            bench.event(worker, |event| event["event"] == "online");
        }
        bench
    }

    pub(crate) fn tell(&mut self, command: &str) {
        self.process.write_line(command);
    }

    pub(crate) fn order(&mut self, worker: u64, order: &Value) {
        self.tell(&format!("send {worker} {order}"));
    }

    /// The worker's next event like this; those before it are passed over.
    pub(crate) fn event(&self, worker: u64, wanted: impl Fn(&Value) -> bool) -> Value {
        let from = self.marks.borrow().get(&worker).copied().unwrap_or_default();
        let read = |line: &str| -> Option<Value> {
            let event: Value = serde_json::from_str(line).ok()?;
            let its = event["worker"].as_u64().unwrap_or(0) == worker;
            (its && wanted(&event)).then_some(event)
        };
        let line = self.process.wait_line_after(from, |line| read(line).is_some(), HANG);
        self.marks.borrow_mut().insert(worker, line.mark);
        read(&line.text).unwrap()
    }

    /// The worker's next message like this. None when it died instead.
    pub(crate) fn message(&self, worker: u64, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let event = self.event(worker, |it| it["event"] == "exit" || wanted(&it["message"]));
        (event["event"] != "exit").then_some(event)
    }

    pub(crate) fn snapshot(&mut self) -> Value {
        self.tell("snapshot");
        self.event(0, |event| event["event"] == "snapshot")
    }

    pub(crate) fn pid(&self, worker: u64) -> u32 {
        let lines = self.process.lines();
        let mut events = lines.iter().filter_map(|it| serde_json::from_str::<Value>(&it.text).ok());
        let fork = events.find(|it| it["event"] == "fork" && it["worker"] == worker);
        u32::try_from(fork.expect("it was started")["pid"].as_u64().unwrap()).unwrap()
    }

    /// The listeners that the primary has.
    pub(crate) fn listeners(&mut self) -> Vec<Value> {
        self.snapshot()["listeners"].as_array().unwrap().clone()
    }

    /// Has the worker serve HTTP, under a name.
    pub(crate) fn serve(&mut self, worker: u64, name: &str, options: &Value) -> Listened {
        self.serve_with(worker, name, options, &json!({}))
    }

    /// Has the worker serve plain TCP, under a name.
    pub(crate) fn serve_bare(&mut self, worker: u64, name: &str, options: &Value) -> Listened {
        let order = json!({ "op": "serve", "name": name, "options": options, "bare": true });
        self.order(worker, &order);
        self.listened(worker, name)
    }

    /// As [`serve`](Self::serve), with properties of the server.
    pub(crate) fn serve_with(
        &mut self,
        worker: u64,
        name: &str,
        options: &Value,
        set: &Value,
    ) -> Listened {
        self.order(worker, &json!({ "op": "serve", "name": name, "options": options, "set": set }));
        self.listened(worker, name)
    }

    /// Has the worker bind a UDP socket, under a name.
    pub(crate) fn udp(&mut self, worker: u64, name: &str, options: &Value) -> Listened {
        self.order(
            worker,
            &json!({ "op": "udp", "name": name, "type": "udp4", "options": options }),
        );
        self.listened(worker, name)
    }

    fn listened(&self, worker: u64, name: &str) -> Listened {
        let answer = |it: &Value| it["listening"] == name || it["failed"] == name;
        let Some(event) = self.message(worker, answer) else {
            self.process.fail("the worker died when it was to listen");
        };
        let message = &event["message"];
        match message["code"].as_str() {
            Some(code) => Listened::Failed(code.to_owned()),
            None => Listened::On(message["address"]["port"].as_u64().map(|it| it as u16)),
        }
    }

    /// Whether the worker has told of such an event up to now.
    pub(crate) fn has_told(&mut self, worker: u64, wanted: impl Fn(&Value) -> bool) -> bool {
        // What it said before the answer was read before it.
        self.order(worker, &json!("was that all?"));
        self.message(worker, |it| it["echo"] == "was that all?").expect("it lives");
        let is_it = |event: &Value| event["worker"] == worker && wanted(event);
        let lines = self.process.lines();
        lines.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).any(|it| is_it(&it))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Has the worker send a message that its primary has not asked for.
    pub(crate) fn has_it_speak(&self, pid: u32) {
        self.process.signal_descendant(pid, Signal::Usr2).unwrap();
        self.process.wait_line(|line| line == "SAID", HANG);
    }

    pub(crate) fn close(&mut self, worker: u64, name: &str) {
        self.order(worker, &json!({ "op": "close", "name": name }));
        self.message(worker, |it| it["closed"] == name).expect("it lives");
    }

    /// Fails the test with all that was said.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.process.fail(why)
    }
}

impl Listened {
    /// The port on this machine.
    pub(crate) fn port(self, bench: &Bench) -> SocketAddr {
        match self {
            Self::On(Some(port)) => (std::net::Ipv4Addr::LOCALHOST, port).into(),
            Self::On(None) => bench.fail("it listens on no port"),
            Self::Failed(code) => bench.fail(&format!("it cannot listen: {code}")),
        }
    }
}
