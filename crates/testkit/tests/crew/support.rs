//! A fixture primary as the tests see it: commands in, events out; and what the kernel knows of its sockets.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use portcrew_testkit::ledger::PrimaryCounts;
use portcrew_testkit::process::{Mark, Process, Program, eventually, proc_fs};
use serde_json::{Value, json};

/// Only detects a hang.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// The primary that does what it is told.
pub(crate) const PRIMARY: &str = env!("CARGO_BIN_EXE_fixture-primary");
/// The well-behaved worker of the library.
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_fixture-server");
/// The worker that breaks rules.
pub(crate) const ROGUE: &str = env!("CARGO_BIN_EXE_fixture-rogue");
/// The program that keeps what it is sent.
pub(crate) const KEEPER: &str = env!("CARGO_BIN_EXE_fixture-keeper");
/// The program that says what it is.
pub(crate) const ROLE: &str = env!("CARGO_BIN_EXE_fixture-role");

/// A program that speaks JSON lines: a fixture primary, or Node's.
pub(crate) struct Crew {
    pub(crate) process: Process,
    /// Per kind of event, behind the last that was taken.
    marks: RefCell<HashMap<String, Mark>>,
}

/// A primary of the library for workers of that program.
pub(crate) fn primary(program: impl AsRef<Path>) -> Program {
    Program::new(PRIMARY)
        .arg(program.as_ref())
        .env_remove("NODE_CLUSTER_SCHED_POLICY")
        .env_remove("NODE_OPTIONS")
        .stdin_pipe()
}

impl Crew {
    pub(crate) fn start(program: Program) -> Self {
        let crew = Self::begin(program);
        crew.next("ready");
        crew
    }

    /// One that does not say when it is ready for commands.
    pub(crate) fn begin(program: Program) -> Self {
        Self { process: program.start(), marks: RefCell::default() }
    }

    pub(crate) fn tell(&mut self, command: &str) {
        self.process.write_line(command);
    }

    /// The next event of that kind; each is given once.
    pub(crate) fn next(&self, kind: &str) -> Value {
        self.next_where(kind, |_| true)
    }

    /// The next such event of that kind; those before it are passed over.
    pub(crate) fn next_where(&self, kind: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let from = self.marks.borrow().get(kind).copied().unwrap_or_default();
        let read = |line: &str| -> Option<Value> {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["event"] == kind && wanted(&event)).then_some(event)
        };
        let line = self.process.wait_line_after(from, |line| read(line).is_some(), HANG);
        self.marks.borrow_mut().insert(kind.to_owned(), line.mark);
        read(&line.text).unwrap()
    }

    /// The next message of that worker, under our primary or Node's.
    pub(crate) fn message(&self, worker: u64) -> Value {
        let of = |event: &Value| event["worker"] == worker || event["id"] == worker;
        self.next_where("message", of)["message"].clone()
    }

    /// Forks, and waits until all of them listen. Where they do.
    pub(crate) fn fork(&mut self, count: usize) -> SocketAddr {
        self.tell(&format!("fork {count}"));
        self.listening(count)
    }

    pub(crate) fn listening(&self, count: usize) -> SocketAddr {
        (0..count).map(|_| address(&self.next("listening"))).last().unwrap()
    }

    pub(crate) fn snapshot(&mut self) -> Value {
        self.tell("snapshot");
        self.next("snapshot")
    }

    /// The primary's books, once nothing is on its way any more.
    pub(crate) fn settled_counts(&mut self) -> PrimaryCounts {
        eventually("no connection waits", HANG, || {
            let counts: PrimaryCounts = serde_json::from_value(self.snapshot()).unwrap();
            (counts.held + counts.offered == 0).then_some(counts)
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until the primary has so many descriptors, as before.
    pub(crate) fn assert_fds(&self, before: usize) {
        let mut now = 0;
        let same = || {
            now = proc_fs::fd_count(self.pid()).unwrap();
            (now == before).then_some(())
        };
        eventually("the primary has as many descriptors as before", HANG, same);
    }

    /// Nothing that a peer sends makes the primary panic.
    pub(crate) fn assert_no_panic(&self) {
        let panicked = self.process.lines().into_iter().find(|line| line.text.contains("panicked"));
        if let Some(line) = panicked {
            self.process.fail(&line.text);
        }
    }
}

/// Where the event `listening` or `server` says.
pub(crate) fn address(event: &Value) -> SocketAddr {
    let port = event["port"].as_u64().unwrap();
    (Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap()).into()
}

/// A share in which each worker, numbered from 1, has the same.
pub(crate) fn even_share(workers: u64, each: u64) -> std::collections::BTreeMap<String, u64> {
    (1..=workers).map(|worker| (worker.to_string(), each)).collect()
}

/// The IPv4 sockets that `pid` listens on, with the connections that wait in each.
pub(crate) fn listening_sockets(pid: u32) -> Vec<(SocketAddr, usize)> {
    let own = proc_fs::fds(pid).unwrap();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    // State 0A listens; there the queue of bytes to read is that of connections to accept.
    let listening = rows.filter(|row| row[3] == "0A").filter(|row| {
        let socket = format!("socket:[{}]", row[9]);
        own.iter().any(|(_, is)| *is == socket)
    });
    listening.map(|row| (socket_address(row[1]), queue(row[4]))).collect()
}

/// As `0100007F:1F90`.
pub(crate) fn socket_address(text: &str) -> SocketAddr {
    let (ip, port) = text.split_once(':').unwrap();
    let ip = u32::from_str_radix(ip, 16).unwrap().to_ne_bytes();
    (Ipv4Addr::from(ip), u16::from_str_radix(port, 16).unwrap()).into()
}

/// As `00000000:00000003`: bytes to send, and to read.
fn queue(text: &str) -> usize {
    usize::from_str_radix(text.split_once(':').unwrap().1, 16).unwrap()
}

/// The one address on which `pid` comes to listen.
pub(crate) fn served_by(pid: u32) -> SocketAddr {
    eventually("it listens", HANG, || listening_sockets(pid).first().map(|(address, _)| *address))
}

/// A number for a short run, and the one that is promised, for a soak.
pub(crate) fn scaled(short: u64, promised: u64) -> u64 {
    match std::env::var_os("PORTCREW_SOAK") {
        Some(set) if set == "1" => promised,
        _ => short,
    }
}

/// Whether the process is gone, or a zombie that nobody has reaped yet.
pub(crate) fn has_ended(pid: u32) -> bool {
    proc_fs::state(pid).map_or(true, |state| state == 'Z')
}

/// What a worker sends when it uses a socket of that kind.
pub(crate) fn used(kind: &str) -> Value {
    json!({ "used": kind })
}
