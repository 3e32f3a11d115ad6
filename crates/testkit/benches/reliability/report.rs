//! All parts of one run.

use serde::Serialize;

use crate::Failure;
use crate::args::{Args, Counts, Part};
use crate::before;
use crate::kills;
use crate::machine::Machine;
use crate::peers;
use crate::soak::{self, Soak};
use crate::spread;
use crate::starved;
use crate::stopped;
use crate::target::Target;
use crate::targets;
use crate::world::World;

/// Everything that is printed. A part that was not asked for is empty.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// How the programs were built.
    pub(crate) profile: &'static str,
    /// Its version, where it is in the cache.
    pub(crate) pm2: Option<String>,
    /// Its version, where it is installed.
    pub(crate) nginx: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) kills: Vec<kills::Row>,
    pub(crate) before: Vec<before::Row>,
    pub(crate) starved: Vec<starved::Row>,
    pub(crate) stopped: Vec<stopped::Round>,
    pub(crate) spread: Vec<spread::Row>,
    pub(crate) soak: Option<Soak>,
    pub(crate) peers: Vec<peers::Row>,
    pub(crate) targets: Vec<Target>,
}

impl Report {
    /// Does everything that was asked for.
    pub(crate) fn new(args: &Args, world: &World) -> Result<Self, Failure> {
        let counts = args.counts();
        let mut report = Self {
            machine: Machine::look(),
            profile: World::profile(),
            pm2: world.pm2.as_ref().map(|it| it.version.clone()),
            nginx: world.nginx.as_ref().map(|it| it.version.clone()),
            counts,
            kills: Vec::new(),
            before: Vec::new(),
            starved: Vec::new(),
            stopped: Vec::new(),
            spread: Vec::new(),
            soak: None,
            peers: Vec::new(),
            targets: Vec::new(),
        };
        if args.wants(Part::Kills) {
            report.kills = kills::run(world, &counts)?;
        }
        if args.wants(Part::Before) {
            report.before = before::run(world, &counts)?;
        }
        if args.wants(Part::Starved) {
            report.starved = starved::run(world, &counts)?;
        }
        if args.wants(Part::Stopped) {
            report.stopped = stopped::run(world, &counts)?;
        }
        if args.wants(Part::Spread) {
            report.spread = spread::run(world, &counts)?;
        }
        if args.wants(Part::Soak) {
            report.soak = Some(soak::run(world, &counts)?);
        }
        if args.wants(Part::Peers) {
            report.peers = peers::run(world, &counts)?;
        }
        report.targets = targets::all(&report);
        Ok(report)
    }
}
