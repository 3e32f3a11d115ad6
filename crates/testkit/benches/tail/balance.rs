//! How evenly connections are spread over the workers: many short ones, and few that stay.

use portcrew_testkit::http::{Load, Report};
use serde::Serialize;

use crate::args::Args;
use crate::common::Failure;
use crate::common::interrupt::Interrupt;
use crate::common::server::Server;
use crate::common::stats::Spread;

/// Connections that one worker holds at best when these are opened at once.
const LASTING_EACH: u16 = 4;

/// So often they are opened.
const OPENINGS: u32 = 15;

/// Clients of the short connections: one after another, few, many.
pub(crate) const CLIENTS: [usize; 3] = [1, 8, 64];

/// What is known of one server.
#[derive(Debug, Serialize)]
pub(crate) struct Balance {
    pub(crate) name: String,
    /// The most over the least that a worker was given of the short connections, for each of [`CLIENTS`]; infinite when
    /// one was given none.
    pub(crate) short: [f64; 3],
    /// What the busiest worker holds of those that stay.
    pub(crate) busiest: Spread,
    pub(crate) busiest_worst: f64,
}

/// How many are opened at once.
pub(crate) const fn lasting(workers: u16) -> u16 {
    workers * LASTING_EACH
}

pub(crate) fn run(
    servers: &[Server],
    args: &Args,
    interrupt: &Interrupt,
) -> Result<Vec<Balance>, Failure> {
    servers.iter().map(|server| measure(server, args, interrupt)).collect()
}

/// Short connections of one server.
pub(crate) const fn short_connections(quick: bool) -> u64 {
    if quick { 2000 } else { 10_000 }
}

fn measure(server: &Server, args: &Args, interrupt: &Interrupt) -> Result<Balance, Failure> {
    let mut short = [f64::NAN; CLIENTS.len()];
    for (ratio, clients) in short.iter_mut().zip(CLIENTS) {
        interrupt.check()?;
        let load = Load::new(server.address).clients(clients).reset_on_close(true);
        let report = load.requests(short_connections(args.quick)).try_run()?;
        *ratio = max_over_min(&report, args.workers);
    }
    let mut busiest = Vec::new();
    for _ in 0..OPENINGS {
        interrupt.check()?;
        busiest.push(open_at_once(server, lasting(args.workers))?);
    }
    let busiest_worst = busiest.iter().copied().fold(f64::NAN, f64::max);
    let busiest = Spread::of(busiest).ok_or("no opening was measured")?;
    Ok(Balance { name: server.name.clone(), short, busiest, busiest_worst })
}

/// One request on each connection. All have connected before the first answer is read.
#[allow(clippy::cast_precision_loss)]
fn open_at_once(server: &Server, count: u16) -> Result<f64, Failure> {
    let load = Load::new(server.address).clients(usize::from(count)).keep_alive(2);
    let report = load.requests(u64::from(count)).try_run()?;
    let busiest = report.connections_by_worker.values().max().copied();
    Ok(busiest.ok_or("none of the lasting connections was answered")? as f64)
}

/// Of all workers, also those that were given none.
fn max_over_min(report: &Report, workers: u16) -> f64 {
    let all = report.by_worker.len() == usize::from(workers);
    report.max_over_min().filter(|_| all).unwrap_or(f64::INFINITY)
}
