//! The rounds: each server gets one slice in each, forwards in one and backwards in the next.

use std::time::Duration;

use serde::Serialize;

use crate::Failure;
use crate::args::{Args, Load};
use crate::client;
use crate::contest::{Kind, Server};
use crate::interrupt::Interrupt;
use crate::stats;

/// All slices under one kind of load.
#[derive(Debug)]
pub(crate) struct Result {
    pub(crate) load: Load,
    pub(crate) rows: Vec<Row>,
}

/// One server's slices; the same place in two rows is the same round.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) slices: Vec<Sample>,
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
        let row = |it: &Server| Row { name: it.name.clone(), kind: it.kind, slices: Vec::new() };
        let mut rows: Vec<_> = servers.iter().map(row).collect();
        for round in 0..args.rounds(load) {
            let order = 0..servers.len();
            let order: Vec<_> =
                if round % 2 == 0 { order.collect() } else { order.rev().collect() };
            for index in order {
                if interrupt.is_raised() {
                    return Err("interrupted".into());
                }
                rows[index].slices.push(slice(&servers[index], load, args, args.slice())?);
            }
        }
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
