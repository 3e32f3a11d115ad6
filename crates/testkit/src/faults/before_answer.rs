//! Workers that die before they have answered for the connections that they were offered, one after another, under
//! plain and half-closing clients. Whoever uses this says how many: a test a hundred, a benchmark ten thousand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use serde_json::Value;

use super::{Client, Fate, Kind, Point};
use crate::ledger::PrimaryCounts;
use crate::process::{Mark, Process, Program, at_last, eventually, proc_fs};

/// Workers that serve. Whoever waits is answered by them.
const SERVING: usize = 2;
/// Workers that die. Half of them receive what they are offered first.
const DYING: usize = 4;
/// Clients of each kind, each with one connection at a time.
const CLIENTS: usize = 8;
/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

/// What is to be run.
#[derive(Clone, Debug)]
#[must_use = "nobody dies before it is run"]
pub struct BeforeTheAnswer {
    primary: PathBuf,
    server: PathBuf,
    rogue: PathBuf,
    kills: u64,
    lane: bool,
}

/// What the clients of one kind saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Whole answers.
    pub answered: u64,
    /// Connections that were closed within an answer.
    pub part: u64,
    /// Connections that were closed or reset without an answer.
    pub nothing: u64,
    /// Connections without answer and end, and those that were refused.
    pub hung: u64,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Workers that died by SIGKILL, each with a connection that it had not answered for.
    pub kills: u64,
    /// What the clients saw that only send.
    pub plain: Fates,
    /// What the clients saw that end their direction behind the request.
    pub half_closed: Fates,
    /// The primary's books over the same time.
    pub counts: PrimaryCounts,
    /// Offers made again.
    pub offered_again: u64,
    /// The primary's descriptors before and after.
    pub descriptors: (usize, usize),
}

impl BeforeTheAnswer {
    /// A scene of these programs: `fixture-primary`, `fixture-server` and `fixture-rogue`.
    pub fn new(
        primary: impl AsRef<Path>,
        server: impl AsRef<Path>,
        rogue: impl AsRef<Path>,
    ) -> Self {
        let [primary, server, rogue] =
            [primary.as_ref(), server.as_ref(), rogue.as_ref()].map(Path::to_path_buf);
        Self { primary, server, rogue, kills: 100, lane: true }
    }

    /// So many are killed; 100 if nothing is said.
    pub const fn kills(mut self, kills: u64) -> Self {
        self.kills = kills;
        self
    }

    /// Whether connections go by the lane, as they do if nothing is said, or by Node's channel.
    pub const fn lane(mut self, lane: bool) -> Self {
        self.lane = lane;
        self
    }

    /// Plays it.
    ///
    /// # Panics
    /// When the primary stops to answer, or nobody dies any more.
    #[must_use]
    pub fn run(&self) -> Outcome {
        let mut stage = Stage::set(self);
        let first = stage.books();
        let descriptors = proc_fs::fd_count(stage.process.pid()).unwrap_or(0);
        let stop = AtomicBool::new(false);
        let (plain, half_closed) = std::thread::scope(|scope| {
            let clients = |kind| -> Vec<ScopedJoinHandle<'_, Fates>> {
                let (to, stop) = (stage.address, &stop);
                (0..CLIENTS).map(|_| scope.spawn(move || visit(kind, to, stop))).collect()
            };
            let (plain, half_closed) = (clients(Kind::Plain), clients(Kind::HalfClosed));
            stage.wait_kills(self.kills);
            stop.store(true, Ordering::Relaxed);
            (sum(plain), sum(half_closed))
        });
        let last = stage.settled_books();
        // The last who died have successors, who are offered nothing any more.
        let after = descriptors_after(stage.process.pid(), descriptors);
        let (counts, offered_again) =
            (counts(&last).since(&counts(&first)), again(&last) - again(&first));
        let descriptors = (descriptors, after);
        Outcome { kills: stage.kills, plain, half_closed, counts, offered_again, descriptors }
    }
}

impl Outcome {
    /// Every connection was answered, and the primary's books say the same.
    ///
    /// # Panics
    /// With all that came out.
    #[track_caller]
    pub fn assert_nothing_lost(&self) {
        let clients = self.plain.all() + self.half_closed.all();
        let answered = self.plain.answered + self.half_closed.answered;
        assert_eq!(answered, clients, "somebody was not answered: {self:#?}");
        assert!(self.counts.is_conserved(), "{self:#?}");
        let books = (self.counts.accepted, self.counts.taken);
        assert_eq!(books, (clients, clients), "the books disagree: {self:#?}");
        assert!(self.plain.answered > 0 && self.half_closed.answered > 0, "{self:#?}");
        let (before, after) = self.descriptors;
        assert_eq!(before, after, "descriptors were lost: {self:#?}");
        assert!(self.offered_again >= self.kills, "somebody died without a connection: {self:#?}");
    }
}

impl Fates {
    /// All connections.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.answered + self.part + self.nothing + self.hung
    }

    fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.part += other.part;
        self.nothing += other.nothing;
        self.hung += other.hung;
    }
}

/// A primary with its workers.
struct Stage {
    process: Process,
    address: SocketAddr,
    kills: u64,
    /// Behind the last line that was looked at for each purpose.
    ends: Mark,
    answers: Mark,
}

impl Stage {
    fn set(scene: &BeforeTheAnswer) -> Self {
        let process = Program::new(&scene.primary)
            .arg(&scene.server)
            .env("LANE", if scene.lane { "1" } else { "0" })
            .env("RESPAWN", "1")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .stdin_pipe()
            .start();
        let (ends, answers) = (Mark::default(), Mark::default());
        let address = ([127, 0, 0, 1], 0).into();
        let mut stage = Self { process, address, kills: 0, ends, answers };
        stage.tell(&format!("fork {SERVING}"));
        for _ in 0..SERVING {
            let port = stage.event("listening")["port"].as_u64().unwrap_or(0);
            stage.address.set_port(u16::try_from(port).unwrap_or(0));
        }
        for _ in 0..2 * SERVING {
            // Opens what is opened once.
            let first = Client::connect(Kind::Plain, stage.address).map(|it| it.fate(HANG));
            assert!(matches!(first, Ok(Fate::Answered(_))), "{first:?}");
        }
        // Successors play the part that was set last.
        for point in [Point::Offered, Point::Received] {
            stage.tell(&format!("program {} dies {point}", scene.rogue.display()));
            stage.tell(&format!("fork {}", DYING / 2));
        }
        for _ in 0..DYING {
            stage.event("listening");
        }
        stage
    }

    fn tell(&mut self, command: &str) {
        self.process.write_line(command);
    }

    /// The next event of that kind behind the last that was asked for.
    fn event(&mut self, kind: &str) -> Value {
        let line = self.process.wait_line_after(self.answers, |line| is(line, kind), HANG);
        self.answers = line.mark;
        serde_json::from_str(&line.text).unwrap_or_default()
    }

    fn wait_kills(&mut self, kills: u64) {
        let killed = |line: &str| is(line, "exit") && line.contains("\"signal\":9");
        while self.kills < kills {
            self.ends = self.process.wait_line_after(self.ends, killed, HANG).mark;
            self.kills += 1;
        }
    }

    fn books(&mut self) -> Value {
        self.tell("snapshot");
        self.event("snapshot")
    }

    fn settled_books(&mut self) -> Value {
        eventually("no connection waits", HANG, || {
            let books = self.books();
            let counts = counts(&books);
            (counts.held + counts.offered == 0).then_some(books)
        })
    }
}

/// The primary's descriptors as soon as they are as many as before, or else when the time is over: then they tell how
/// many leaked.
fn descriptors_after(primary: u32, before: usize) -> usize {
    at_last(HANG, |now| *now == before, || proc_fs::fd_count(primary).unwrap_or(0))
}

/// One connection after another.
fn visit(kind: Kind, to: SocketAddr, stop: &AtomicBool) -> Fates {
    let mut fates = Fates::default();
    while !stop.load(Ordering::Relaxed) {
        let count = match Client::connect(kind, to).map(|client| client.fate(HANG)) {
            Ok(Fate::Answered(_)) => &mut fates.answered,
            Ok(Fate::Part) => &mut fates.part,
            Ok(Fate::Nothing | Fate::Gone) => &mut fates.nothing,
            Ok(Fate::Hung) | Err(_) => &mut fates.hung,
        };
        *count += 1;
    }
    fates
}

fn sum(clients: Vec<ScopedJoinHandle<'_, Fates>>) -> Fates {
    let mut all = Fates::default();
    for client in clients {
        match client.join() {
            Ok(fates) => all.add(fates),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    all
}

fn is(line: &str, kind: &str) -> bool {
    line.contains(&format!("\"event\":\"{kind}\""))
}

fn counts(books: &Value) -> PrimaryCounts {
    serde_json::from_value(books.clone()).unwrap_or_default()
}

fn again(books: &Value) -> u64 {
    books["offered_again"].as_u64().unwrap_or(0)
}
