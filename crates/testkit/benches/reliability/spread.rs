//! The policy `kernel`: workers that accept from sockets of their own are killed, stopped, replaced and sent home under load.

use std::time::{Duration, Instant};

use portcrew_testkit::http::{Load, Report};
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal, eventually};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::crew::{Crew, NAME, command_of};
use crate::fleet::Fleet;
use crate::kills::{OTHERS, WORKERS as MANY, load, warm_up};
use crate::place::{Answer, HANG, Place};
use crate::support::SERVER;
use crate::traffic::Traffic;
use crate::world::World;

const WORKERS: usize = 3;

/// Answers that are awaited between two things.
const BETWEEN: u64 = 20;

/// What may wait so long at a worker's socket is handed to another.
const THRESHOLD: Duration = Duration::from_millis(20);

/// And no client waits longer than so much more.
pub(crate) const ALLOWED: Duration = THRESHOLD.saturating_add(Duration::from_millis(50));

/// How long a worker is stopped.
const STOPPED: Duration = Duration::from_secs(3);

/// Arrivals per second meanwhile.
const RATE: f64 = 300.0;

/// What became of one kind of workers.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) kills: u64,
    pub(crate) killed: Traffic,
    pub(crate) reloads: u64,
    pub(crate) scales: u64,
    pub(crate) moved: Traffic,
    pub(crate) stops: u32,
    pub(crate) stopped: Traffic,
    /// The slowest answer beside a stopped worker.
    pub(crate) slowest_ms: f64,
    pub(crate) rescued: u64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let mut rows = vec![row(world, counts, "Rust", |it| it.arg(SERVER))?];
    if let Some(node) = world.node() {
        rows.push(row(world, counts, "Node", |it| it.arg(node.path()).arg(fixture("hello.js")))?);
    }
    Ok(rows)
}

fn row(
    world: &World,
    counts: &Counts,
    who: &'static str,
    program: impl Fn(Program) -> Program,
) -> Result<Row, Failure> {
    let killed = {
        let place = Place::new(&world.portcrew)?;
        let options = ["--policy", "kernel", "--events", "--stable", "50ms", "--"];
        let mut fleet = Fleet::command(&place, program(command_of(MANY, &place, &options)), MANY)?;
        kill(world, &mut fleet, counts.spread_kills)?
    };
    let place = Place::new(&world.portcrew)?;
    let options = ["--policy", "kernel", "--stable", "50ms", "--"];
    let crew = Crew::start(&place, program(command_of(WORKERS, &place, &options)));
    let moved = moved(world, &crew, &place, counts)?;
    let mut stopped = Vec::new();
    for round in 0..counts.stops {
        world.interrupt.check()?;
        stopped.push(stop(&crew, u64::from(round))?);
    }
    let slowest = stopped.iter().map(|it| it.latency.max()).max().unwrap_or_default();
    let rescued =
        place.describe(NAME)?["ledger"]["rescued"].as_u64().ok_or("nothing is counted")?;
    crew.stop();
    Ok(Row {
        who,
        kills: counts.spread_kills,
        killed: traffic([&killed]),
        reloads: counts.spread_moves,
        scales: counts.spread_moves / 2,
        moved: traffic([&moved]),
        stops: counts.stops,
        stopped: traffic(&stopped),
        slowest_ms: slowest.as_secs_f64() * 1e3,
        rescued,
    })
}

fn kill(world: &World, fleet: &mut Fleet<'_>, kills: u64) -> Result<Report, Failure> {
    warm_up(world, fleet, kills)?;
    let load = load(fleet.address).background();
    for _ in 0..kills {
        world.interrupt.check()?;
        load.wait_answered(BETWEEN, HANG);
        fleet.kill(OTHERS)?;
    }
    fleet.wait_serving(MANY)?;
    load.wait_answered(BETWEEN, HANG);
    Ok(load.finish())
}

/// Reloads, and two workers more and fewer again after every second one.
fn moved(
    world: &World,
    crew: &Crew<'_>,
    place: &Place,
    counts: &Counts,
) -> Result<Report, Failure> {
    let load = load(crew.address()?).background();
    for round in 0..counts.spread_moves {
        world.interrupt.check()?;
        load.wait_answered(BETWEEN, HANG);
        done(&crew.reload())?;
        if round % 2 == 0 {
            for by in ["+2", "-2"] {
                done(&place.ask(&["scale", NAME, by]))?;
                load.wait_answered(BETWEEN, HANG);
            }
        }
    }
    Ok(load.finish())
}

fn done(answer: &Answer) -> Result<(), Failure> {
    match answer.status {
        Some(0) => Ok(()),
        status => Err(format!("{status:?}: {}", answer.err).into()),
    }
}

/// One of them is stopped while requests arrive, whatever becomes of them.
fn stop(crew: &Crew<'_>, seed: u64) -> Result<Report, Failure> {
    let all = || crew.workers().ok().filter(|it| it.len() == WORKERS);
    let victim = eventually("who is to leave has left", HANG, all).first().copied();
    let victim = victim.ok_or("nobody serves")?;
    let load = Load::new(crew.address()?).clients(64).open_loop(RATE, seed + 1);
    let load = load.reset_on_close(true).per_try_timeout(HANG).time_limit(STOPPED).background();
    let begun = Instant::now();
    crew.process.signal_descendant(victim, Signal::Stop)?;
    std::thread::sleep(STOPPED.saturating_sub(begun.elapsed()));
    let report = load.finish();
    crew.process.signal_descendant(victim, Signal::Cont)?;
    Ok(report)
}

fn traffic<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Traffic {
    let mut all = Traffic::default();
    reports.into_iter().for_each(|it| all.add(it));
    all
}
