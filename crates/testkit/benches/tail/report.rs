//! From slices to figures and ratios.

use serde::Serialize;

use crate::args::{Args, Case};
use crate::balance::{self, Balance};
use crate::common::crews::name;
use crate::common::fixture::Hello;
use crate::common::machine::Machine;
use crate::common::rounds::{self, Row};
use crate::common::stats::Spread;
use crate::contest::CREW_OF_NODE_SHARED;
use crate::round::{self, Sample};
use crate::targets::{self, Target};

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) workers: u16,
    /// What the Rust servers are written with.
    pub(crate) hello: Hello,
    pub(crate) slice_ms: u128,
    pub(crate) one_in: u32,
    pub(crate) slow_ms: u32,
    pub(crate) fast_us: u32,
    pub(crate) cases: Vec<Section>,
    /// Short connections of each server, for the balance.
    pub(crate) short_connections: u64,
    /// Connections that are opened at once, for the balance.
    pub(crate) lasting: u16,
    pub(crate) balances: Vec<Balance>,
    pub(crate) targets: Vec<Target>,
}

/// One case.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) case: Case,
    pub(crate) per_second: u32,
    pub(crate) rounds: usize,
    /// The client's own lateness, the 99th percentile of a slice: where it is not small the machine was too busy.
    pub(crate) late_ms: Spread,
    pub(crate) servers: Vec<Figures>,
    /// What each ratio is about, first over second.
    pub(crate) ratios: Vec<Ratio>,
}

/// One server: over its slices.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) p50_ms: Spread,
    pub(crate) p90_ms: Spread,
    pub(crate) p99_ms: Spread,
    pub(crate) p99_9_ms: Spread,
    pub(crate) caught: Spread,
    pub(crate) cpu_us: Spread,
    /// None where no primary is between the client and the worker.
    pub(crate) primary_us: Option<Spread>,
    pub(crate) failed: u64,
    slices: Vec<Sample>,
}

/// One server against another, taken inside each round.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) server: String,
    pub(crate) against: String,
    pub(crate) p90: Spread,
    pub(crate) p99: Spread,
    pub(crate) p99_9: Spread,
}

/// Whom a server is held against, those that run.
const PAIRS: [(&str, &str); 8] = [
    (name::CREW, name::CREW_SHARED),
    (name::CREW, name::NODE),
    (name::CREW_SHARED, name::NODE),
    (name::CREW_SHARED, name::NODE_SHARED),
    (name::CREW_OF_NODE, name::NODE),
    (name::CREW_OF_NODE, CREW_OF_NODE_SHARED),
    (CREW_OF_NODE_SHARED, name::NODE_SHARED),
    (name::NODE, name::NODE_SHARED),
];

impl Report {
    pub(crate) fn new(
        args: &Args,
        machine: Machine,
        results: &[round::Result],
        balances: Vec<Balance>,
    ) -> Self {
        let cases: Vec<_> = results.iter().filter_map(|it| section(it, args)).collect();
        Self {
            machine,
            workers: args.workers,
            hello: args.hello,
            slice_ms: args.slice().as_millis(),
            one_in: args.one_in,
            slow_ms: args.slow_ms,
            fast_us: args.fast_us,
            targets: targets::all(&cases, &balances, args.workers),
            cases,
            short_connections: balance::short_connections(args.quick),
            lasting: balance::lasting(args.workers),
            balances,
        }
    }
}

impl Section {
    pub(crate) fn ratio(&self, server: &str, against: &str) -> Option<&Ratio> {
        self.ratios.iter().find(|it| it.server == server && it.against == against)
    }
}

fn section(result: &round::Result, args: &Args) -> Option<Section> {
    let pairs = rounds::held_against(&result.rows, &PAIRS);
    let late = result.rows.iter().flat_map(|row| &row.slices).map(|it| it.late_ms);
    Some(Section {
        case: result.case,
        per_second: args.rate(result.case),
        rounds: result.rows.first().map_or(0, |row| row.slices.len()),
        late_ms: Spread::of(late)?,
        servers: result.rows.iter().filter_map(figures).collect(),
        ratios: pairs.into_iter().filter_map(|(row, against)| ratio(row, against)).collect(),
    })
}

fn figures(row: &Row<Sample>) -> Option<Figures> {
    Some(Figures {
        name: row.name.clone(),
        p50_ms: row.spread(|it| it.p50_ms)?,
        p90_ms: row.spread(|it| it.p90_ms)?,
        p99_ms: row.spread(|it| it.p99_ms)?,
        p99_9_ms: row.spread(|it| it.p99_9_ms)?,
        caught: row.spread(|it| it.caught)?,
        cpu_us: row.spread(|it| it.cpu_us)?,
        primary_us: row.hands_over.then(|| row.spread(|it| it.primary_us)).flatten(),
        failed: row.slices.iter().map(|it| it.failed).sum(),
        slices: row.slices.clone(),
    })
}

fn ratio(row: &Row<Sample>, against: &Row<Sample>) -> Option<Ratio> {
    Some(Ratio {
        server: row.name.clone(),
        against: against.name.clone(),
        p90: row.ratio(against, |it| it.p90_ms)?,
        p99: row.ratio(against, |it| it.p99_ms)?,
        p99_9: row.ratio(against, |it| it.p99_9_ms)?,
    })
}
