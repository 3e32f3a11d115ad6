//! Restarts by the hundred thousand and connections by the million: the primary does not grow.

use std::time::{Duration, Instant};

use portcrew_testkit::process::proc_fs;
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::books::Books;
use crate::fleet::Fleet;
use crate::kills::{self, OTHERS};
use crate::level::{Growth, Level};
use crate::place::HANG;
use crate::support::SERVER;
use crate::world::World;

/// Workers; so many that several start at once.
const WORKERS: usize = 8;

/// Between an answer and the next request of a client: the processors are for the workers that start.
const THINK: Duration = Duration::from_millis(5);

/// Looks at the primary's memory on the way.
const LOOKS: u64 = 10;

#[derive(Debug, Serialize)]
pub(crate) struct Soak {
    pub(crate) restarts: u64,
    pub(crate) took_s: f64,
    pub(crate) books: Books,
    pub(crate) growth: Growth,
    /// In KiB, at even distances on the way.
    pub(crate) rss_kib: Vec<u64>,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Soak, Failure> {
    let mut fleet = Fleet::library(SERVER, WORKERS)?;
    kills::warm_up(world, &mut fleet, counts.restarts)?;
    fleet.wait_serving(WORKERS)?;
    let first = fleet.settled_counts();
    let before = Level::of(fleet.pid())?;
    let (begun, load) = (Instant::now(), kills::load(fleet.address).think(THINK).background());
    let (mut restarts, mut rss_kib) = (0, Vec::new());
    while restarts < counts.restarts {
        world.interrupt.check()?;
        // In step with the connections, so that both are done at once.
        let due = counts.connections * restarts / counts.restarts;
        load.wait_answered(due.saturating_sub(load.answered()), HANG);
        fleet.kill(OTHERS)?;
        restarts += 1;
        if restarts % (counts.restarts / LOOKS) == 0 {
            rss_kib.push(proc_fs::memory(fleet.pid())?.rss >> 10);
        }
    }
    fleet.wait_serving(WORKERS)?;
    load.wait_answered(counts.connections.saturating_sub(load.answered()), HANG);
    let (took_s, report) = (begun.elapsed().as_secs_f64(), load.finish());
    let books = Books::of(&report, fleet.settled_counts().since(&first));
    let growth = before.again(fleet.pid())?;
    Ok(Soak { restarts, took_s, books, growth, rss_kib })
}
