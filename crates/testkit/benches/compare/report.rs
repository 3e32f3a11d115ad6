//! From slices to figures and ratios.

use serde::Serialize;

use crate::args::{Args, Load};
use crate::common::crews::name;
use crate::common::fixture::Hello;
use crate::common::machine::Machine;
use crate::common::rounds::{self, Row};
use crate::common::stats::{Spread, quantile};
use crate::contest::plain;
use crate::peers::{Found, name as other};
use crate::round::{self, Sample};

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) peers: Found,
    pub(crate) clients: u16,
    pub(crate) workers: u16,
    /// What the Rust servers are written with.
    pub(crate) hello: Hello,
    /// Too short for Node to have compiled what is hot.
    pub(crate) quick: bool,
    pub(crate) loads: Vec<Section>,
}

/// One kind of load.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) load: Load,
    pub(crate) rounds: usize,
    pub(crate) slice_ms: u128,
    /// Requests per second of an open loop.
    pub(crate) per_second: Option<u32>,
    /// How late the client of an open loop was, the 99th percentile of a slice: much of it spoils all latencies.
    pub(crate) late_ms: Option<Spread>,
    pub(crate) servers: Vec<Figures>,
    /// What each ratio is about, first over second.
    pub(crate) ratios: Vec<Ratio>,
}

/// One server: medians over its slices.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) name: String,
    pub(crate) rate: Spread,
    pub(crate) cpu_us: Spread,
    /// The 20th percentile: the cost under the least disturbance, for noise only adds.
    pub(crate) cpu_us_p20: f64,
    /// None where there is no primary between the client and the worker, or no primary at all.
    pub(crate) primary_us: Option<Spread>,
    pub(crate) p50_ms: Spread,
    pub(crate) p99_ms: Spread,
    pub(crate) p99_9_ms: Spread,
    pub(crate) failed: u64,
    slices: Vec<Sample>,
}

/// One server against another, taken inside each round.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) server: String,
    pub(crate) against: String,
    pub(crate) rate: Spread,
    pub(crate) cpu: Spread,
    pub(crate) p99: Spread,
    /// Primary against primary, where both hand over.
    pub(crate) primary: Option<Spread>,
}

/// Whom a server is held against, those that run.
const PAIRS: [(&str, &str); 32] = [
    (name::CREW, name::NODE),
    (name::CREW_MINIMAL, name::NODE),
    (name::CREW_SHARED, name::NODE),
    (name::CREW_KERNEL, name::NODE),
    (name::CREW_OF_NODE, name::NODE),
    (name::CREW_OF_NODE_KERNEL, name::NODE),
    (name::CREW_OF_NODE_KERNEL, name::NODE_SHARED),
    (name::NODE_SHARED, name::NODE),
    (other::PM2, name::NODE),
    (name::CREW_OF_NODE, other::PM2),
    (other::NGINX, name::NODE),
    (name::CREW, name::CREW_KERNEL),
    (name::CREW, name::CREW_SHARED),
    (name::CREW_MINIMAL, name::CREW_KERNEL_MINIMAL),
    (name::CREW_MINIMAL, name::CREW_SHARED_MINIMAL),
    (name::CREW_KERNEL, plain::PREFORK),
    (name::CREW_SHARED, plain::PREFORK),
    (name::CREW, plain::PREFORK),
    (name::CREW_KERNEL_MINIMAL, plain::FLOOR),
    (name::CREW_SHARED_MINIMAL, plain::FLOOR_SHARED),
    (name::CREW_KERNEL_MINIMAL, other::NGINX),
    (name::CREW_SHARED_MINIMAL, other::NGINX_SHARED),
    (name::CREW_SHARED, name::NODE_SHARED),
    (name::CREW, plain::RUST),
    (plain::THREADS, plain::RUST),
    (plain::PREFORK, plain::FLOOR),
    (plain::FLOOR_HANDED, name::NODE),
    (plain::FLOOR_HANDED, plain::FLOOR),
    (name::CREW_MINIMAL, plain::FLOOR_HANDED),
    (name::CREW_OF_NODE, plain::NODE),
    (name::NODE, plain::NODE),
    (plain::RUST, plain::NODE),
];

impl Report {
    pub(crate) fn new(
        args: &Args,
        machine: Machine,
        peers: Found,
        results: &[round::Result],
    ) -> Self {
        Self {
            machine,
            peers,
            clients: args.clients,
            workers: args.workers,
            hello: args.hello,
            quick: args.quick,
            loads: results.iter().map(|it| section(it, args)).collect(),
        }
    }
}

fn section(result: &round::Result, args: &Args) -> Section {
    let pairs = rounds::held_against(&result.rows, &PAIRS);
    let late = result.rows.iter().flat_map(|row| &row.slices).filter_map(|it| it.late_ms);
    Section {
        load: result.load,
        rounds: result.rows.first().map_or(0, |row| row.slices.len()),
        slice_ms: args.slice(result.load).as_millis(),
        per_second: (result.load == Load::Open).then_some(args.open_rate),
        late_ms: Spread::of(late),
        servers: result.rows.iter().filter_map(figures).collect(),
        ratios: pairs.into_iter().filter_map(|(row, against)| ratio(row, against)).collect(),
    }
}

fn figures(row: &Row<Sample>) -> Option<Figures> {
    let mut cpu: Vec<_> = row.slices.iter().map(|it| it.cpu_us).collect();
    cpu.sort_by(f64::total_cmp);
    Some(Figures {
        name: row.name.clone(),
        rate: row.spread(|it| it.rate)?,
        cpu_us: row.spread(|it| it.cpu_us)?,
        cpu_us_p20: quantile(&cpu, 0.2)?,
        primary_us: row.hands_over.then(|| row.spread(|it| it.primary_us)).flatten(),
        p50_ms: row.spread(|it| it.p50_ms)?,
        p99_ms: row.spread(|it| it.p99_ms)?,
        p99_9_ms: row.spread(|it| it.p99_9_ms)?,
        failed: row.slices.iter().map(|it| it.failed).sum(),
        slices: row.slices.clone(),
    })
}

fn ratio(row: &Row<Sample>, against: &Row<Sample>) -> Option<Ratio> {
    let both_hand_over = row.hands_over && against.hands_over;
    Some(Ratio {
        server: row.name.clone(),
        against: against.name.clone(),
        rate: row.ratio(against, |it| it.rate)?,
        cpu: row.ratio(against, |it| it.cpu_us)?,
        p99: row.ratio(against, |it| it.p99_ms)?,
        primary: both_hand_over.then(|| row.ratio(against, |it| it.primary_us)).flatten(),
    })
}
