//! What one slice of one server brings, and the rounds of a run.

use std::time::Duration;

use serde::Serialize;

use crate::args::{Args, Case};
use crate::common::Failure;
use crate::common::interrupt::Interrupt;
use crate::common::open::{self, Load, request};
use crate::common::rounds::{self, Row};
use crate::common::server::Server;
use crate::common::stats;

/// A fast request that took so long did not merely wait for a processor: it waited for a slow request.
pub(crate) const CAUGHT: Duration = Duration::from_millis(5);

/// Interpreters compile what is hot before anything counts.
const WARM_UP: Duration = Duration::from_millis(1000);

/// Requests per second of the warm-up: all fast.
const WARM_UP_RATE: f64 = 1000.0;

/// All slices of one case.
#[derive(Debug)]
pub(crate) struct Result {
    pub(crate) case: Case,
    pub(crate) rows: Vec<Row<Sample>>,
}

/// One slice. Latencies are of the fast requests alone: they are the victims.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p99_9_ms: f64,
    /// Percent of them that took longer than [`CAUGHT`].
    pub(crate) caught: f64,
    /// CPU of the server's whole tree for each answer, microseconds.
    pub(crate) cpu_us: f64,
    /// Of it the primary's.
    pub(crate) primary_us: f64,
    /// The 99th percentile of how late the client itself was.
    pub(crate) late_ms: f64,
    pub(crate) fast: usize,
    pub(crate) slow: usize,
    pub(crate) failed: u64,
}

pub(crate) fn run(
    servers: &[Server],
    args: &Args,
    interrupt: &Interrupt,
) -> std::result::Result<Vec<Result>, Failure> {
    let cases = args.cases();
    if !cases.is_empty() {
        servers.iter().try_for_each(|server| warm_up(server, args))?;
    }
    let rounds = |case| {
        let load = load(case, args);
        // The arrivals of a round are the same for all servers, and other ones in the next.
        let slice =
            |server: &Server, round| slice(server, &load, args.slice(), u64::from(round) + 1);
        let rows = rounds::run(servers, args.rounds(), interrupt, slice)?;
        Ok(Result { case, rows })
    };
    cases.into_iter().map(rounds).collect()
}

fn warm_up(server: &Server, args: &Args) -> std::io::Result<()> {
    let load = Load { per_second: WARM_UP_RATE, one_in: u64::MAX, ..load(Case::Spin, args) };
    open::run(server.address, &load, WARM_UP, 0).map(drop)
}

fn load(case: Case, args: &Args) -> Load {
    let slow = match case {
        Case::Block => "block",
        Case::Spin => "spin",
    };
    Load {
        per_second: f64::from(args.rate(case)),
        one_in: u64::from(args.one_in),
        fast: request(&format!("/spin/{}", args.fast_us)),
        slow: request(&format!("/{slow}/{}", u64::from(args.slow_ms) * 1000)),
    }
}

#[allow(clippy::cast_precision_loss)]
fn slice(
    server: &Server,
    load: &Load,
    time: Duration,
    seed: u64,
) -> std::result::Result<Sample, Failure> {
    let before = server.cpu();
    let slice = open::run(server.address, load, time, seed)?;
    let after = server.cpu();
    if slice.fast.is_empty() {
        server.fail("it has answered nothing in a whole slice");
    }
    let (fast, slow) = (slice.fast.len(), slice.slow.len());
    let each = |from: Duration, to: Duration| {
        to.saturating_sub(from).as_secs_f64() * 1e6 / (fast + slow) as f64
    };
    let caught = slice.fast.iter().filter(|took| **took > CAUGHT).count();
    let [p50_ms, p90_ms, p99_ms, p99_9_ms] =
        stats::milliseconds(&slice.fast, [0.5, 0.9, 0.99, 0.999]);
    let [late_ms] = stats::milliseconds(&slice.late, [0.99]);
    Ok(Sample {
        p50_ms,
        p90_ms,
        p99_ms,
        p99_9_ms,
        caught: caught as f64 * 100.0 / fast as f64,
        cpu_us: each(before.tree, after.tree),
        primary_us: each(before.primary, after.primary),
        late_ms,
        fast,
        slow,
        failed: slice.failed,
    })
}
