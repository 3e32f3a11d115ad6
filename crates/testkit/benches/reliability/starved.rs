//! The primary may open nothing more, under clients that want in: it rests, control goes on, and all is well at once
//! when there are descriptors again.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcrew_testkit::http::{Background, Load};
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

/// Questions on the control socket in a second, on average. They come by a clock of their own, whatever the answers take.
const ASKS: f64 = 4.0;

/// The most questions under way: all that can come within the time that each of them has.
const ASKERS: usize = 64;

/// One that has none is counted as unanswered.
const ASK_WITHIN: Duration = Duration::from_secs(2);

/// Below all that a primary has open, beside the standard streams: whatever it closes, it can open nothing.
const NOTHING: u64 = 3;

/// What was under way when the limit came has come to its end within this.
const UNDER_WAY: Duration = Duration::from_millis(300);

#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) shedding: bool,
    pub(crate) clients: usize,
    pub(crate) seconds: u32,
    /// The same clients before the shortage: what serving them costs.
    pub(crate) free: Span,
    /// Nothing at all can be accepted.
    pub(crate) barred: Span,
    /// Nothing is free but what the primary itself closes.
    pub(crate) scarce: Span,
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
    let (address, clients, primary) = (crew.address()?, counts.starved_clients, crew.pid());
    let load = Load::new(address).clients(clients).think(THINK).per_try_timeout(HANG);
    let load = load.reset_on_close(true).time_limit(HANG * 2);
    load.clone().requests(2 * clients as u64).try_run()?;
    let first = settled(&place);
    // At rest: a connection that it had then would leave it a descriptor when it goes.
    let least = lowest_free(primary)?;
    let (load, seconds) = (load.background(), counts.starved_s);
    load.wait_answered(clients as u64, HANG);
    let span = Duration::from_secs(seconds.into());
    let watch = |span| Span::watch(world, primary, &load, span);
    let free = watch(span / 2)?;
    limit(primary, Some(NOTHING))?;
    std::thread::sleep(UNDER_WAY);
    let barred = watch(span / 2)?;
    limit(primary, Some(least))?;
    let asks = Load::new(control(&place)?.as_path()).path("/v1/status").clients(ASKERS);
    let asks = asks.open_loop(ASKS, 1).per_try_timeout(ASK_WITHIN).time_limit(HANG).background();
    let scarce = watch(span)?;
    let asks = asks.finish();
    limit(primary, None)?;
    let lifted = Instant::now();
    load.wait_answered(clients as u64, HANG);
    let recovered_ms = lifted.elapsed().as_secs_f64() * 1e3;
    let report = load.finish();
    let books = Books::of(&report, settled(&place).since(&first));
    crew.stop();
    Ok(Row {
        shedding,
        clients,
        seconds,
        free,
        barred,
        scarce,
        asks: asks.attempts(),
        asks_answered: asks.ok,
        slowest_ask_ms: asks.slowest_attempt.as_secs_f64() * 1e3,
        books,
        recovered_ms,
        slowest_s: report.slowest_attempt.as_secs_f64(),
    })
}

impl Row {
    /// Of one processor, what the primary used at the limit more than the same answers cost before. What was shed counts
    /// for no service.
    pub(crate) fn beyond_percent(&self) -> f64 {
        self.scarce.cpu_percent() - self.scarce.rate() * self.free.each_us() / 1e4
    }
}

/// What a primary does in a while, under the same clients.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Span {
    pub(crate) seconds: f64,
    /// The primary's.
    pub(crate) cpu_s: f64,
    pub(crate) answered: u64,
}

impl Span {
    fn watch(
        world: &World,
        primary: u32,
        load: &Background,
        span: Duration,
    ) -> Result<Self, Failure> {
        let (begun, used, answered) =
            (Instant::now(), proc_fs::cpu_time(primary)?, load.answered());
        while begun.elapsed() < span {
            world.interrupt.check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(Self {
            seconds: begun.elapsed().as_secs_f64(),
            cpu_s: proc_fs::cpu_time(primary)?.saturating_sub(used).as_secs_f64(),
            answered: load.answered() - answered,
        })
    }

    /// Of one processor.
    pub(crate) fn cpu_percent(&self) -> f64 {
        self.cpu_s * 100.0 / self.seconds
    }

    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// The CPU of one answer, in microseconds.
    pub(crate) fn each_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.answered.max(1) as f64
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
