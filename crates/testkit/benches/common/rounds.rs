//! The rounds: each server gets one slice in each, forwards in one and backwards in the next, and ratios are taken
//! inside a round.

use super::Failure;
use super::interrupt::Interrupt;
use super::server::{Server, other_of};
use super::stats::Spread;

/// One server's slices; the same place in two rows is the same round.
#[derive(Debug)]
pub(crate) struct Row<S> {
    pub(crate) name: String,
    pub(crate) hands_over: bool,
    pub(crate) slices: Vec<S>,
}

/// So many rounds over all servers. `slice` is told the number of the round.
pub(crate) fn run<S>(
    servers: &[Server],
    rounds: u32,
    interrupt: &Interrupt,
    slice: impl Fn(&Server, u32) -> Result<S, Failure>,
) -> Result<Vec<Row<S>>, Failure> {
    let row =
        |it: &Server| Row { name: it.name.clone(), hands_over: it.hands_over, slices: Vec::new() };
    let mut rows: Vec<_> = servers.iter().map(row).collect();
    for round in 0..rounds {
        let order = 0..servers.len();
        let order: Vec<_> = if round % 2 == 0 { order.collect() } else { order.rev().collect() };
        for index in order {
            interrupt.check()?;
            rows[index].slices.push(slice(&servers[index], round)?);
        }
    }
    Ok(rows)
}

/// Who is held against whom: those of `pairs` that ran, and each server against the same one of another build.
pub(crate) fn held_against<'a, S>(
    rows: &'a [Row<S>],
    pairs: &[(&str, &str)],
) -> Vec<(&'a Row<S>, &'a Row<S>)> {
    let find = |name: &str| rows.iter().find(|row| row.name == name);
    let mut found = Vec::new();
    for row in rows {
        let its_own = pairs.iter().filter(|(name, _)| *name == row.name);
        found.extend(its_own.filter_map(|(_, against)| Some((row, find(against)?))));
        // Before and after.
        found.extend(find(&other_of(&row.name)).map(|other| (row, other)));
    }
    found
}

impl<S> Row<S> {
    pub(crate) fn spread(&self, of: impl Fn(&S) -> f64) -> Option<Spread> {
        Spread::of(self.slices.iter().map(of))
    }

    /// First over second.
    pub(crate) fn ratio(&self, against: &Self, of: impl Fn(&S) -> f64) -> Option<Spread> {
        let rounds = self.slices.iter().zip(&against.slices);
        Spread::of(rounds.map(|(this, that)| of(this) / of(that)))
    }
}
