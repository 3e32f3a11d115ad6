//! A crew whose oldest worker is killed again and again, as fast as its successors come.
//!
//! Who is killed has served: a worker is killed only while others serve besides, so that what is measured is the death
//! and not an empty crew. The kill comes from outside, with no word to the primary.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use portcrew_testkit::ledger::PrimaryCounts;
use portcrew_testkit::process::{Program, Signal, eventually, signal_child};
use serde_json::Value;

use crate::Failure;
use crate::crew::NAME;
use crate::place::{HANG, Place};
use crate::support::{self, Crew};

/// A running crew. Dropping it ends the whole tree.
pub(crate) struct Fleet<'a> {
    crew: Crew,
    books: Books<'a>,
    pub(crate) address: SocketAddr,
    /// Of those that were started and have not listened yet.
    pids: HashMap<u64, u32>,
    /// The oldest first.
    serving: VecDeque<u32>,
}

/// Who is asked for the primary's books.
enum Books<'a> {
    /// The library's primary, by its standard input.
    Library,
    /// The command's, by its control socket.
    Command(&'a Place),
}

impl<'a> Fleet<'a> {
    /// A primary of the library, which forks anew at once and keeps nothing of the dead.
    pub(crate) fn library(worker: &str, workers: usize) -> Result<Self, Failure> {
        let program = support::primary(worker).env("RESPAWN", "1").env("FORGET", "1");
        let mut crew = Crew::start(program);
        crew.tell(&format!("fork {workers}"));
        Self::complete(crew, Books::Library, workers)
    }

    /// `portcrew run`, with its own delays. The program must have `--events`.
    pub(crate) fn command(
        place: &'a Place,
        program: Program,
        workers: usize,
    ) -> Result<Self, Failure> {
        Self::complete(Crew::begin(program), Books::Command(place), workers)
    }

    fn complete(crew: Crew, books: Books<'a>, workers: usize) -> Result<Self, Failure> {
        let nowhere = ([127, 0, 0, 1], 0).into();
        let (pids, serving) = (HashMap::new(), VecDeque::new());
        let mut fleet = Self { crew, books, address: nowhere, pids, serving };
        fleet.wait_serving(workers)?;
        Ok(fleet)
    }

    /// Waits until so many serve.
    pub(crate) fn wait_serving(&mut self, workers: usize) -> Result<(), Failure> {
        while self.serving.len() < workers {
            let event = self.crew.next("listening");
            let worker = event["worker"].as_u64().ok_or("a worker without a number listens")?;
            self.address = address(&event)?;
            while !self.pids.contains_key(&worker) {
                let fork = self.crew.next("fork");
                let (Some(worker), Some(pid)) = (fork["worker"].as_u64(), fork["pid"].as_u64())
                else {
                    return Err("a worker without a number was started".into());
                };
                self.pids.insert(worker, u32::try_from(pid)?);
            }
            self.serving.extend(self.pids.remove(&worker));
        }
        Ok(())
    }

    /// Kills the oldest, once so many serve besides.
    pub(crate) fn kill(&mut self, others: usize) -> Result<(), Failure> {
        self.wait_serving(others + 1)?;
        let victim = self.serving.pop_front().ok_or("nobody serves")?;
        Ok(signal_child(self.pid(), victim, Signal::Kill)?)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.crew.pid()
    }

    /// The primary's books, once nothing is on its way any more.
    pub(crate) fn settled_counts(&mut self) -> PrimaryCounts {
        match self.books {
            Books::Library => self.crew.settled_counts(),
            Books::Command(place) => settled(place),
        }
    }
}

/// The books of the command's primary, once nothing is on its way any more.
pub(crate) fn settled(place: &Place) -> PrimaryCounts {
    eventually("no connection waits", HANG, || {
        let mut status = place.describe(NAME).ok()?;
        let counts: PrimaryCounts = serde_json::from_value(status["ledger"].take()).ok()?;
        (counts.held + counts.offered == 0).then_some(counts)
    })
}

/// The library tells the port, the command the whole address.
fn address(event: &Value) -> Result<SocketAddr, Failure> {
    match event["port"].as_u64() {
        Some(port) => Ok(([127, 0, 0, 1], u16::try_from(port)?).into()),
        None => Ok(event["address"].as_str().ok_or("it listens nowhere")?.parse()?),
    }
}
