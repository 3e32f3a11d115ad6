//! Workers are killed under load: nobody hangs, nobody is refused, and what failed was inside a worker that died.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::books::Books;
use crate::crew::command_of;
use crate::fleet::Fleet;
use crate::level::{Growth, Level};
use crate::place::{HANG, Place};
use crate::support::SERVER;
use crate::world::World;

/// Clients at once, each with a connection for each request.
const CLIENTS: usize = 32;

/// Workers of each crew.
pub(crate) const WORKERS: usize = 4;

/// So many others serve when a worker is killed.
pub(crate) const OTHERS: usize = 2;

/// Who has no answer after this hangs.
const TRY: Duration = Duration::from_secs(5);

/// Answers that are awaited between two kills.
const BETWEEN: u64 = 20;

/// No load is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// All kills of one crew.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) kills: u64,
    pub(crate) took_s: f64,
    /// Of the same load before the first kill: what fails there no kill explains.
    pub(crate) calm: Books,
    pub(crate) books: Books,
    pub(crate) growth: Growth,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let rust = Fleet::library(SERVER, WORKERS)?;
    rows.push(kill(world, rust, "Rust, library", counts.rust_kills)?);
    if let Some(node) = world.node() {
        let place = Place::new(&world.portcrew)?;
        let options = ["--events", "--stable", "50ms", "--"];
        let program =
            command_of(WORKERS, &place, &options).arg(node.path()).arg(fixture("hello.js"));
        let node = Fleet::command(&place, program, WORKERS)?;
        rows.push(kill(world, node, "Node, `portcrew run`", counts.node_kills)?);
    }
    Ok(rows)
}

/// A load that goes on until it is finished.
pub(crate) fn load(address: SocketAddr) -> Load {
    let load = Load::new(address).clients(CLIENTS).per_try_timeout(TRY);
    load.reset_on_close(true).time_limit(LONGEST)
}

/// The twentieth part of `kills` before anything is counted: what is allocated once is there then.
pub(crate) fn warm_up(world: &World, fleet: &mut Fleet<'_>, kills: u64) -> Result<(), Failure> {
    let load = load(fleet.address).background();
    for _ in 0..(kills / 20).max(10) {
        world.interrupt.check()?;
        load.wait_answered(BETWEEN, HANG);
        fleet.kill(OTHERS)?;
    }
    drop(load.finish());
    fleet.wait_serving(WORKERS)
}

fn kill(
    world: &World,
    mut fleet: Fleet<'_>,
    who: &'static str,
    kills: u64,
) -> Result<Row, Failure> {
    warm_up(world, &mut fleet, kills)?;
    let calm = calm(&mut fleet, kills);
    let first = fleet.settled_counts();
    let before = Level::of(fleet.pid())?;
    let (begun, load) = (Instant::now(), load(fleet.address).background());
    for _ in 0..kills {
        world.interrupt.check()?;
        load.wait_answered(BETWEEN, HANG);
        fleet.kill(OTHERS)?;
    }
    fleet.wait_serving(WORKERS)?;
    load.wait_answered(BETWEEN, HANG);
    let (took_s, report) = (begun.elapsed().as_secs_f64(), load.finish());
    let counts = fleet.settled_counts().since(&first);
    let growth = before.again(fleet.pid())?;
    Ok(Row { who, kills, took_s, calm, books: Books::of(&report, counts), growth })
}

/// The same load while nobody is killed, for a tenth of the answers.
fn calm(fleet: &mut Fleet<'_>, kills: u64) -> Books {
    let first = fleet.settled_counts();
    let load = load(fleet.address).background();
    load.wait_answered(BETWEEN * (kills / 10).max(10), HANG);
    let report = load.finish();
    Books::of(&report, fleet.settled_counts().since(&first))
}
