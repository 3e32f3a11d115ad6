//! The primary may open nothing more, under clients that want in: it rests, control goes on, and all is well at once
//! when there are descriptors again.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcrew_testkit::http::Load;
use portcrew_testkit::process::proc_fs;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::books::Books;
use crate::crew::{self, Crew};
use crate::fleet::settled;
use crate::place::{HANG, Place};
use crate::support::SERVER;
use crate::world::World;

/// What sheds, where the command has it.
const SHED: &str = "--shed";

/// Between an answer, or a refusal, and the next attempt of a client.
const THINK: Duration = Duration::from_millis(100);

/// Between two questions on the control socket, each of which may take so long as well.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// One that has none is counted as unanswered.
const ASK_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) shedding: bool,
    pub(crate) clients: usize,
    pub(crate) seconds: u32,
    /// The primary's, of one processor.
    pub(crate) cpu_percent: f64,
    pub(crate) asks: u64,
    pub(crate) asks_answered: u64,
    pub(crate) slowest_ask_ms: f64,
    pub(crate) books: Books,
    /// From the end of the shortage until as many answers had come as there are clients.
    pub(crate) recovered_ms: f64,
    /// The longest that a client waited, the shortage included.
    pub(crate) slowest_s: f64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    // Each client needs one, and here as in most shells fewer than that are allowed at first.
    let own = rustix::process::getrlimit(Resource::Nofile);
    limit(std::process::id(), own.maximum)?;
    let mut rows = vec![starve(world, counts, false)?];
    if world.knows(SHED)? {
        rows.push(starve(world, counts, true)?);
    }
    Ok(rows)
}

fn starve(world: &World, counts: &Counts, shedding: bool) -> Result<Row, Failure> {
    let place = Place::new(&world.portcrew)?;
    let options: &[&str] = if shedding { &[SHED, "--"] } else { &["--"] };
    // All clients fit into the kernel's queue, so that none of them has to knock again by TCP's own clock.
    let program = crew::command(&place, options).arg(SERVER).env("BACKLOG", "4096");
    let crew = Crew::start(&place, program);
    let (address, clients) = (crew.address()?, counts.starved_clients);
    let load = Load::new(address).clients(clients).think(THINK).per_try_timeout(HANG);
    let load = load.reset_on_close(true).time_limit(HANG * 2);
    load.clone().requests(2 * clients as u64).try_run()?;
    let first = settled(&place);
    // At rest: a connection that it had then would leave it a descriptor when it goes.
    limit(crew.pid(), Some(lowest_free(crew.pid())?))?;
    let load = load.background();
    let shortage = Shortage::watch(world, &place, crew.pid(), counts.starved_s);
    limit(crew.pid(), None)?;
    let lifted = Instant::now();
    let shortage = shortage?;
    load.wait_answered(clients as u64, HANG);
    let recovered_ms = lifted.elapsed().as_secs_f64() * 1e3;
    let report = load.finish();
    let slowest_s = report.slowest_attempt.as_secs_f64();
    let row = Row {
        shedding,
        clients,
        seconds: counts.starved_s,
        cpu_percent: shortage.cpu_percent,
        asks: shortage.asks,
        asks_answered: shortage.answered,
        slowest_ask_ms: shortage.slowest.as_secs_f64() * 1e3,
        books: Books::of(&report, settled(&place).since(&first)),
        recovered_ms,
        slowest_s,
    };
    crew.stop();
    Ok(row)
}

/// What is seen of a primary that has no descriptor.
#[derive(Default)]
struct Shortage {
    cpu_percent: f64,
    asks: u64,
    answered: u64,
    slowest: Duration,
}

impl Shortage {
    fn watch(world: &World, place: &Place, primary: u32, seconds: u32) -> Result<Self, Failure> {
        let control = control(place)?;
        let mut seen = Self::default();
        let (used, begun) = (proc_fs::cpu_time(primary)?, Instant::now());
        while begun.elapsed() < Duration::from_secs(seconds.into()) {
            world.interrupt.check()?;
            std::thread::sleep(ASK_EVERY);
            let ask = Load::new(control.as_path()).requests(1).path("/v1/status");
            let report = ask.per_try_timeout(ASK_WITHIN).try_run()?;
            seen.asks += 1;
            seen.answered += report.ok;
            seen.slowest = seen.slowest.max(report.slowest_attempt);
        }
        let used = proc_fs::cpu_time(primary)?.saturating_sub(used);
        seen.cpu_percent = used.as_secs_f64() * 100.0 / begun.elapsed().as_secs_f64();
        Ok(seen)
    }
}

/// The one socket in the place.
fn control(place: &Place) -> Result<PathBuf, Failure> {
    for path in place.left_over()? {
        if fs::metadata(&path)?.file_type().is_socket() {
            return Ok(path);
        }
    }
    Err("the crew has no control socket".into())
}

/// The limit is one of numbers, and a hole below it could still be filled.
fn lowest_free(pid: u32) -> Result<u64, Failure> {
    let open = proc_fs::fds(pid)?;
    let free = (0..).find(|number| open.iter().all(|(fd, _)| fd != number));
    Ok(free.ok_or("every number is taken")?.into())
}

/// So many descriptors from now on, or as many as this process may have.
fn limit(pid: u32, descriptors: Option<u64>) -> Result<(), Failure> {
    let pid = Pid::from_raw(i32::try_from(pid)?);
    let own = rustix::process::getrlimit(Resource::Nofile);
    let current = descriptors.or(own.current);
    prlimit(pid, Resource::Nofile, Rlimit { current, maximum: own.maximum })?;
    Ok(())
}
