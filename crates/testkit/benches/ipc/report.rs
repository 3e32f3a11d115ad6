//! A run in figures: medians, ratios inside a round, and what is aimed at.

use serde::Serialize;

use crate::args::{Args, Part};
use crate::machine::Machine;
use crate::round::{Row, Sample, name};
use crate::stats::Spread;
use crate::target::Target;

/// Which rows are held against which.
const PAIRS: [(Part, &str, &str); 15] = [
    (Part::Lane, name::LANE_1, name::SENDMSG_1),
    (Part::Lane, name::LANE_8, name::SENDMSG_8),
    (Part::Lane, name::LANE_64, name::SENDMSG_64),
    (Part::Lane, name::LANE_64, name::LANE_1),
    (Part::Lane, name::SENDMSG_64, name::SENDMSG_1),
    (Part::Messages, name::CREW, name::NODE),
    (Part::Messages, name::CREW_TYPED, name::NODE),
    (Part::Messages, name::CREW_ONE, name::NODE_ONE),
    (Part::Messages, name::CREW_ONE, name::NODE),
    (Part::Messages, name::BARE, name::NODE),
    (Part::Messages, name::BARE_TYPED, name::NODE),
    (Part::Messages, name::BARE_ONE, name::NODE),
    (Part::Messages, name::CREW, name::BARE),
    (Part::Messages, name::CREW_TYPED, name::BARE_TYPED),
    (Part::Messages, name::CREW_TRIPS, name::NODE_TRIPS),
];

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) slice_ms: u128,
    pub(crate) rounds: u32,
    pub(crate) figures: Vec<Figures>,
    pub(crate) ratios: Vec<Ratio>,
    pub(crate) targets: Vec<Target>,
}

/// A row of the first table.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    #[serde(skip)]
    pub(crate) part: Part,
    pub(crate) name: &'static str,
    pub(crate) rate: Spread,
    pub(crate) primary_us: Spread,
    pub(crate) worker_us: Spread,
    slices: Vec<Sample>,
}

/// A row of the second.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    #[serde(skip)]
    pub(crate) part: Part,
    pub(crate) name: &'static str,
    pub(crate) against: &'static str,
    pub(crate) rate: Spread,
    pub(crate) primary: Spread,
    pub(crate) worker: Spread,
}

impl Report {
    pub(crate) fn new(args: &Args, machine: Machine, rows: Vec<Row>) -> Self {
        let find = |name: &str| rows.iter().find(|row| row.item.name == name);
        let ratios: Vec<_> = PAIRS
            .into_iter()
            .filter_map(|(part, name, against)| ratio(part, find(name)?, find(against)?))
            .collect();
        let targets = targets(&ratios);
        let figures = rows.into_iter().filter_map(figures).collect();
        let (slice_ms, rounds) = (args.slice().as_millis(), args.rounds());
        Self { machine, slice_ms, rounds, figures, ratios, targets }
    }
}

fn figures(row: Row) -> Option<Figures> {
    Some(Figures {
        part: row.item.part,
        name: row.item.name,
        rate: row.spread(|it| it.rate)?,
        primary_us: row.spread(|it| it.primary_us)?,
        worker_us: row.spread(|it| it.worker_us)?,
        slices: row.slices,
    })
}

fn ratio(part: Part, row: &Row, against: &Row) -> Option<Ratio> {
    Some(Ratio {
        part,
        name: row.item.name,
        against: against.item.name,
        rate: row.ratio(against, |it| it.rate)?,
        primary: row.ratio(against, |it| it.primary_us)?,
        worker: row.ratio(against, |it| it.worker_us)?,
    })
}

/// Those whose rows ran.
fn targets(ratios: &[Ratio]) -> Vec<Target> {
    let find = |name: &str, against: &str| {
        ratios.iter().find(|it| (it.name, it.against) == (name, against))
    };
    let at_least = |name, against, least: f64| {
        let Ratio { rate, .. } = find(name, against)?;
        Some(Target {
            what: format!("rate: {name} / {against}"),
            wanted: format!("at least {least}"),
            measured: rate.text(),
            reached: rate.median >= least,
        })
    };
    let at_most = |name, against, most: f64| {
        let Ratio { primary, .. } = find(name, against)?;
        Some(Target {
            what: format!("receiver's CPU: {name} / {against}"),
            wanted: format!("at most {most}"),
            measured: primary.text(),
            reached: primary.median <= most,
        })
    };
    let all = [
        at_least(name::LANE_64, name::SENDMSG_64, 0.8),
        at_least(name::LANE_64, name::LANE_1, 6.0),
        at_least(name::CREW, name::NODE, 6.0),
        at_most(name::CREW, name::NODE, 0.15),
        at_least(name::CREW_TYPED, name::NODE, 15.0),
        at_least(name::CREW_ONE, name::NODE_ONE, 2.0),
    ];
    all.into_iter().flatten().collect()
}
