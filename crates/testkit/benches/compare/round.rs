//! What one slice of one server brings, and the rounds of a run.

use std::time::Duration;

use serde::Serialize;

use crate::args::{Args, Load};
use crate::client;
use crate::common::Failure;
use crate::common::interrupt::Interrupt;
use crate::common::rounds::{self, Row};
use crate::common::server::Server;
use crate::common::stats;

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
            slice(server, load, args, args.warm_up())?;
        }
        let timed = |server: &Server, _round| slice(server, load, args, args.slice());
        let rows = rounds::run(servers, args.rounds(load), interrupt, timed)?;
        results.push(Result { load, rows });
    }
    Ok(results)
}

#[allow(clippy::cast_precision_loss)]
fn slice(
    server: &Server,
    load: Load,
    args: &Args,
    time: Duration,
) -> std::result::Result<Sample, Failure> {
    let before = server.cpu();
    let slice = client::run(server.address, load, usize::from(args.clients), time)?;
    let after = server.cpu();
    if slice.answered == 0 {
        server.fail("it has answered nothing in a whole slice");
    }
    let each = |from: Duration, to: Duration| {
        to.saturating_sub(from).as_secs_f64() * 1e6 / slice.answered as f64
    };
    let [p50_ms, p99_ms] = stats::milliseconds(&slice.latency, [0.5, 0.99]);
    Ok(Sample {
        rate: slice.answered as f64 / slice.elapsed.as_secs_f64(),
        cpu_us: each(before.tree, after.tree),
        primary_us: each(before.primary, after.primary),
        p50_ms,
        p99_ms,
        failed: slice.failed,
    })
}
