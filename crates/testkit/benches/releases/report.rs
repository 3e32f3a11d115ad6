//! All parts of one run.

use serde::Serialize;

use crate::Failure;
use crate::args::{Args, Counts, Part};
use crate::broken;
use crate::crash::{self, Crash};
use crate::good;
use crate::machine::Machine;
use crate::small::{self, Small};
use crate::stops;
use crate::target::Target;
use crate::targets;
use crate::world::World;

/// Everything that is printed. A part that was not asked for is empty.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Its version, where it is in the cache.
    pub(crate) pm2: Option<String>,
    pub(crate) counts: Counts,
    pub(crate) broken: Vec<broken::Row>,
    pub(crate) good: Vec<good::Row>,
    pub(crate) crash: Option<Crash>,
    pub(crate) small: Option<Small>,
    pub(crate) stops: Vec<stops::Row>,
    pub(crate) targets: Vec<Target>,
}

impl Report {
    /// Does everything that was asked for.
    pub(crate) fn new(args: &Args, world: &World) -> Result<Self, Failure> {
        let counts = args.counts();
        let mut report = Self {
            machine: Machine::look(),
            pm2: world.pm2.as_ref().map(|it| it.version.clone()),
            counts,
            broken: Vec::new(),
            good: Vec::new(),
            crash: None,
            small: None,
            stops: Vec::new(),
            targets: Vec::new(),
        };
        if args.wants(Part::Broken) {
            report.broken = broken::run(world, &counts)?;
        }
        if args.wants(Part::Good) {
            report.good = good::run(world, &counts)?;
        }
        if args.wants(Part::Crash) {
            report.crash = Some(crash::run(world, &counts)?);
        }
        if args.wants(Part::Small) {
            report.small = Some(small::run(world, &counts)?);
        }
        if args.wants(Part::Stops) {
            report.stops = stops::run(world, &counts)?;
        }
        report.targets = targets::all(&report);
        Ok(report)
    }
}
