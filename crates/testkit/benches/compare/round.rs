//! What one slice of one server brings, and the rounds of a run.

use std::time::Duration;

use serde::Serialize;

use crate::args::{Args, Load};
use crate::common::interrupt::Interrupt;
use crate::common::rounds::{self, Row};
use crate::common::server::Server;
use crate::common::{Failure, closed, open, stats};

/// All slices under one kind of load.
#[derive(Debug)]
pub(crate) struct Result {
    pub(crate) load: Load,
    pub(crate) rows: Vec<Row<Sample>>,
}

/// One slice.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// Answers per second.
    pub(crate) rate: f64,
    /// CPU of the server's whole tree for each answer, microseconds.
    pub(crate) cpu_us: f64,
    /// Of it the primary's.
    pub(crate) primary_us: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p99_9_ms: f64,
    /// The 99th percentile of how late the client itself was; only of an open loop.
    pub(crate) late_ms: Option<f64>,
    pub(crate) failed: u64,
}

pub(crate) fn run(
    servers: &[Server],
    args: &Args,
    interrupt: &Interrupt,
) -> std::result::Result<Vec<Result>, Failure> {
    let mut results = Vec::new();
    for load in args.loads() {
        for server in servers {
            interrupt.check()?;
            slice(server, load, args, args.warm_up(load), 0)?;
        }
        let timed = |server: &Server, round| slice(server, load, args, args.slice(load), round + 1);
        let rows = rounds::run(servers, args.rounds(load), interrupt, timed)?;
        results.push(Result { load, rows });
    }
    Ok(results)
}

fn slice(
    server: &Server,
    load: Load,
    args: &Args,
    time: Duration,
    round: u32,
) -> std::result::Result<Sample, Failure> {
    let before = server.cpu();
    let traffic = match load {
        Load::Short => in_a_closed_loop(server, closed::Load::Short, args, time)?,
        Load::KeepAlive => in_a_closed_loop(server, closed::Load::KeepAlive, args, time)?,
        Load::Open => in_an_open_loop(server, args.open_rate, time, round)?,
    };
    let after = server.cpu();
    if traffic.latency.is_empty() {
        server.fail("it has answered nothing in a whole slice");
    }
    #[allow(clippy::cast_precision_loss)]
    let answered = traffic.latency.len() as f64;
    let each =
        |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / answered;
    let [p50_ms, p99_ms, p99_9_ms] = stats::milliseconds(&traffic.latency, [0.5, 0.99, 0.999]);
    Ok(Sample {
        rate: answered / traffic.elapsed.as_secs_f64(),
        cpu_us: each(before.tree, after.tree),
        primary_us: each(before.primary, after.primary),
        p50_ms,
        p99_ms,
        p99_9_ms,
        late_ms: traffic.late_ms,
        failed: traffic.failed,
    })
}

/// What became of the requests of a slice.
struct Traffic {
    latency: Vec<Duration>,
    failed: u64,
    elapsed: Duration,
    late_ms: Option<f64>,
}

fn in_a_closed_loop(
    server: &Server,
    load: closed::Load,
    args: &Args,
    time: Duration,
) -> std::result::Result<Traffic, Failure> {
    let slice = closed::run(server.address, load, usize::from(args.clients), time)?;
    let closed::Slice { latency, failed, elapsed, .. } = slice;
    Ok(Traffic { latency, failed, elapsed, late_ms: None })
}

/// The arrivals of a round are the same for all servers, and other ones in the next.
fn in_an_open_loop(
    server: &Server,
    per_second: u32,
    time: Duration,
    round: u32,
) -> std::result::Result<Traffic, Failure> {
    let fast = open::request("/");
    let load = open::Load {
        per_second: f64::from(per_second),
        one_in: u64::MAX,
        slow: fast.clone(),
        fast,
    };
    let slice = open::run(server.address, &load, time, u64::from(round))?;
    let [late_ms] = stats::milliseconds(&slice.late, [0.99]);
    Ok(Traffic { latency: slice.fast, failed: slice.failed, elapsed: time, late_ms: Some(late_ms) })
}
