//! Open connections of a Unix-domain socket, counted by what Rust workers tell.

use std::collections::BTreeMap;

use portcrew::{Event, Policy, Scheduling, Settings, Signal, WorkerHandle, WorkerId};
use portcrew_testkit::process::eventually;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::UnixStream;

use crate::local::Local;
use crate::support::HANG;

/// The worker that keeps its connections.
const TELLER: &str = env!("CARGO_BIN_EXE_fixture-teller");

/// What the primary counts, by worker. `None` is that it cannot.
type Live = BTreeMap<u32, Option<u32>>;

/// Workers under least-connections, and their clients.
struct Counted {
    local: Local,
    directory: TempDir,
    /// By the worker that serves them.
    clients: BTreeMap<u32, Vec<UnixStream>>,
}

impl Counted {
    fn new(how: &str, workers: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::program(TELLER, [""; 0])
            .env("ADDRESS", directory.path().join("s"))
            .env("HOW", how);
        settings.policy = Policy::LeastConnections;
        let mut it = Self { local: Local::new(settings), directory, clients: BTreeMap::new() };
        for _ in 0..workers {
            it.fork();
        }
        it
    }

    /// A worker that listens.
    fn fork(&mut self) -> WorkerHandle {
        let handle = self.local.fork();
        let id = handle.id();
        self.local.until(|event| match event {
            Event::Listening { worker, .. } if *worker == id => Some(()),
            _ => None,
        });
        handle
    }

    /// The worker that serves one more connection.
    fn connects(&mut self) -> u32 {
        let (stream, worker) = self.local.run(async {
            let mut stream = UnixStream::connect(self.directory.path().join("s")).await.unwrap();
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
            (stream, line.trim().strip_prefix("worker ").unwrap().parse().unwrap())
        });
        self.clients.entry(worker).or_default().push(stream);
        // The client is greeted before the primary has read the answer, and till then the worker counts as busy.
        eventually("its answer is read", HANG, || {
            let snapshot = self.local.run(self.local.cluster.snapshot()).unwrap();
            (snapshot.ledger.offered == 0).then_some(())
        });
        worker
    }

    /// So many connections, one after another: how many each worker got.
    fn connect(&mut self, count: usize) -> BTreeMap<u32, usize> {
        let mut share = BTreeMap::new();
        for _ in 0..count {
            *share.entry(self.connects()).or_default() += 1;
        }
        share
    }

    /// Clients of that worker close so many of its connections.
    fn close(&mut self, worker: u32, count: usize) {
        let clients = self.clients.get_mut(&worker).unwrap();
        clients.truncate(clients.len() - count);
    }

    fn live(&self) -> Live {
        let snapshot = self.local.run(self.local.cluster.snapshot()).unwrap();
        let views = snapshot.listeners.iter().flat_map(|it| &it.views);
        views.map(|view| (view.worker.0, view.live)).collect()
    }

    /// Waits until the primary counts so.
    fn counts<const N: usize>(&self, expected: [(u32, u32); N]) {
        let expected: Live = expected.map(|(worker, live)| (worker, Some(live))).into();
        let mut live = Live::new();
        let reached = || {
            live = self.live();
            (live == expected).then_some(())
        };
        eventually("the primary counts as expected", HANG, reached);
    }
}

#[test]
fn connections_go_where_the_fewest_are_open() {
    let mut crew = Counted::new("tasks", 4);
    assert_eq!(crew.connect(16), [(1, 4), (2, 4), (3, 4), (4, 4)].into());
    crew.counts([(1, 4), (2, 4), (3, 4), (4, 4)]);
    for (worker, closed) in [(1, 4), (2, 1), (4, 3)] {
        crew.close(worker, closed);
    }
    crew.counts([(1, 0), (2, 3), (3, 4), (4, 1)]);
    assert_eq!(crew.connect(8), [(1, 4), (2, 1), (4, 3)].into());
    crew.counts([(1, 4), (2, 4), (3, 4), (4, 4)]);
}

#[test]
fn threads_tell_as_tasks_do() {
    let mut crew = Counted::new("threads", 2);
    assert_eq!(crew.connect(6), [(1, 3), (2, 3)].into());
    crew.close(2, 3);
    crew.counts([(1, 3), (2, 0)]);
    assert_eq!(crew.connect(3), [(2, 3)].into());
}

#[test]
fn what_a_killed_worker_had_open_is_counted_no_more_and_its_successor_begins_with_none() {
    let mut crew = Counted::new("tasks", 4);
    crew.connect(8);
    let victim = crew.local.cluster.worker(WorkerId(2)).unwrap();
    victim.kill(Signal::Kill);
    crew.local.exit(WorkerId(2));
    crew.counts([(1, 2), (3, 2), (4, 2)]);
    crew.fork();
    crew.counts([(1, 2), (3, 2), (4, 2), (5, 0)]);
    assert_eq!(crew.connect(2), [(5, 2)].into());
    // The others' ends are told as before.
    crew.close(3, 2);
    crew.counts([(1, 2), (3, 0), (4, 2), (5, 2)]);
}

#[test]
fn a_connection_counts_until_its_guard_goes_and_not_until_its_socket_does() {
    let mut crew = Counted::new("late", 1);
    let worker = crew.local.cluster.worker(WorkerId(1)).unwrap();
    crew.connect(1);
    crew.close(1, 1);
    assert_eq!(crew.local.message(WorkerId(1)), json!({ "closed": true }));
    // Had the first end been told, it would have come before this one's answer.
    crew.connect(1);
    crew.counts([(1, 2)]);
    worker.send("let go").unwrap();
    crew.counts([(1, 1)]);
}

#[test]
fn of_a_worker_that_accepts_plainly_the_primary_says_that_it_cannot_count_it() {
    let mut crew = Counted::new("plain", 2);
    crew.counts([(1, 0), (2, 0)]);
    assert_eq!(crew.connect(4), [(1, 2), (2, 2)].into());
    let mut uncounted = [(); 2].map(|()| {
        crew.local.until(|event| match event {
            Event::Scheduling { news: Scheduling::Uncounted { worker }, .. } => Some(worker.0),
            _ => None,
        })
    });
    uncounted.sort_unstable();
    assert_eq!(uncounted, [1, 2]);
    assert_eq!(crew.live(), [(1, None), (2, None)].into());
    // It deals in turn, however many are open.
    crew.close(1, 2);
    assert_eq!(crew.connect(4), [(1, 2), (2, 2)].into());
}
