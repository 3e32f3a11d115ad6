//! What is aimed at, and whether this run reached it.

use serde::Serialize;

use crate::args::Case;
use crate::balance::{Balance, CLIENTS, lasting};
use crate::common::crews::name;
use crate::common::stats::Spread;
use crate::report::Section;

/// The most of the victims' p99 under the default policy, over that of workers that accept from one socket.
const OVER_SHARED: f64 = 2.0;

/// The most of it over that of Node's round robin.
const OVER_NODE: f64 = 0.5;

/// The most over the least that workers are given.
const MAX_OVER_MIN: f64 = 1.01;

/// Clients for each worker with which all are behind all the time, and share by their speed.
const TOO_MANY: usize = 16;

/// One line of the end.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) measured: Spread,
    pub(crate) at_most: f64,
    /// Shown for comparison; nobody aims at it.
    pub(crate) only_shown: bool,
}

impl Target {
    pub(crate) fn is_reached(&self) -> bool {
        self.measured.median <= self.at_most
    }
}

/// Those for which the servers ran.
pub(crate) fn all(cases: &[Section], balances: &[Balance], workers: u16) -> Vec<Target> {
    let mut targets: Vec<_> = cases.iter().flat_map(tails).collect();
    let default = balances.iter().find(|it| it.name == name::CREW);
    targets.extend(default.into_iter().flat_map(|it| spreads(it, workers)));
    targets
}

fn tails(section: &Section) -> impl Iterator<Item = Target> {
    let case = match section.case {
        Case::Block => "block",
        Case::Spin => "spin",
    };
    let p99 = |against, at_most, only_shown| {
        let measured = section.ratio(name::CREW, against)?.p99;
        let what = format!("{case}: p99, {} / {against}", name::CREW);
        Some(Target { what, measured, at_most, only_shown })
    };
    // Where slow requests spin they take processors away, under every policy.
    let shared = p99(name::CREW_SHARED, OVER_SHARED, section.case == Case::Spin);
    shared.into_iter().chain(p99(name::NODE, OVER_NODE, false))
}

fn spreads(balance: &Balance, workers: u16) -> impl Iterator<Item = Target> {
    let short = CLIENTS.into_iter().zip(balance.short).map(move |(clients, ratio)| Target {
        what: format!("most over least given, {clients} at a time"),
        measured: Spread { lower: ratio, median: ratio, upper: ratio },
        at_most: MAX_OVER_MIN,
        only_shown: clients >= usize::from(workers) * TOO_MANY,
    });
    let opened = lasting(workers);
    let worst = balance.busiest_worst;
    short.chain([Target {
        what: format!("busiest worker of {opened} connections opened at once, worst opening"),
        measured: Spread { lower: worst, median: worst, upper: worst },
        at_most: f64::from(opened / workers),
        only_shown: false,
    }])
}
