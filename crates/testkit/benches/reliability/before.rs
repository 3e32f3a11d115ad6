//! Workers die before they have answered for the connections that they were given: others answer all of them.

use std::time::Instant;

use portcrew_testkit::faults::{BeforeTheAnswer, Fates};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::support::{PRIMARY, ROGUE, SERVER};
use crate::world::World;

/// Kills between two looks at the interrupt.
const SLICE: u64 = 1000;

/// All kills by one way of handing over.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) who: &'static str,
    pub(crate) kills: u64,
    pub(crate) took_s: f64,
    pub(crate) plain: Clients,
    pub(crate) half_closed: Clients,
    /// Connections that were offered again.
    pub(crate) again: u64,
    pub(crate) accepted: u64,
    pub(crate) taken: u64,
    /// Descriptors that the primaries had more, or fewer, in the end.
    pub(crate) leaked: u64,
}

/// What became of the connections of one kind of client.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Clients {
    pub(crate) all: u64,
    pub(crate) answered: u64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let half = counts.before / 2;
    Ok(vec![kill(world, "Rust, lane", true, half)?, kill(world, "Node's channel", false, half)?])
}

/// In slices, each with a primary of its own.
fn kill(world: &World, who: &'static str, lane: bool, kills: u64) -> Result<Row, Failure> {
    let begun = Instant::now();
    let mut row = Row { who, ..Row::default() };
    while row.kills < kills {
        world.interrupt.check()?;
        let scene = BeforeTheAnswer::new(PRIMARY, SERVER, ROGUE).lane(lane);
        let outcome = scene.kills(SLICE.min(kills - row.kills)).run();
        row.kills += outcome.kills;
        row.plain.add(outcome.plain);
        row.half_closed.add(outcome.half_closed);
        row.again += outcome.offered_again;
        row.accepted += outcome.counts.accepted;
        row.taken += outcome.counts.taken;
        let (before, after) = outcome.descriptors;
        row.leaked += after.abs_diff(before) as u64;
    }
    Ok(Row { took_s: begun.elapsed().as_secs_f64(), ..row })
}

impl Clients {
    fn add(&mut self, fates: Fates) {
        self.all += fates.all();
        self.answered += fates.answered;
    }

    pub(crate) const fn failed(self) -> u64 {
        self.all - self.answered
    }
}

impl Row {
    /// Connections in the clients' books.
    pub(crate) const fn all(&self) -> u64 {
        self.plain.all + self.half_closed.all
    }
}
