//! What is measured, and the rounds: each row has one slice in each, forwards in one and backwards in the next.

use serde::Serialize;

use crate::Failure;
use crate::args::{Args, Part};
use crate::contest::{Pair, Who};
use crate::interrupt::Interrupt;
use crate::order::How;
use crate::stats::Spread;

/// What a row of the table is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    pub(crate) part: Part,
    pub(crate) name: &'static str,
    who: Who,
    how: How,
}

/// Its slices; the same place in two rows is the same round.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) item: Item,
    pub(crate) slices: Vec<Sample>,
}

/// One slice.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// Descriptors, messages or round trips per second.
    pub(crate) rate: f64,
    /// CPU of each process for one of them, microseconds.
    pub(crate) primary_us: f64,
    pub(crate) worker_us: f64,
}

const fn item(part: Part, name: &'static str, who: Who, how: How) -> Item {
    Item { part, name, who, how }
}

/// The rows. Ratios refer to the names.
pub(crate) const ITEMS: [Item; 16] = [
    item(Part::Lane, name::SENDMSG_1, Who::Kernel, How::Descriptors(1)),
    item(Part::Lane, name::SENDMSG_8, Who::Kernel, How::Descriptors(8)),
    item(Part::Lane, name::SENDMSG_64, Who::Kernel, How::Descriptors(64)),
    item(Part::Lane, name::LANE_1, Who::Lane, How::Descriptors(1)),
    item(Part::Lane, name::LANE_8, Who::Lane, How::Descriptors(8)),
    item(Part::Lane, name::LANE_64, Who::Lane, How::Descriptors(64)),
    item(Part::Messages, name::NODE, Who::Node, How::Values),
    item(Part::Messages, name::CREW, Who::Crew, How::Values),
    item(Part::Messages, name::CREW_TYPED, Who::Crew, How::Typed),
    item(Part::Messages, name::CREW_ONE, Who::Crew, How::OneByOne),
    item(Part::Messages, name::BARE, Who::Bare, How::Values),
    item(Part::Messages, name::BARE_TYPED, Who::Bare, How::Typed),
    item(Part::Messages, name::BARE_ONE, Who::Bare, How::OneByOne),
    item(Part::Messages, name::NODE_ONE, Who::Node, How::OneByOne),
    item(Part::Messages, name::NODE_TRIPS, Who::Node, How::Trips),
    item(Part::Messages, name::CREW_TRIPS, Who::Crew, How::Trips),
];

/// What they are called.
pub(crate) mod name {
    pub(crate) const SENDMSG_1: &str = "sendmsg, 1";
    pub(crate) const SENDMSG_8: &str = "sendmsg, 8";
    pub(crate) const SENDMSG_64: &str = "sendmsg, 64";
    pub(crate) const LANE_1: &str = "lane, 1";
    pub(crate) const LANE_8: &str = "lane, 8";
    pub(crate) const LANE_64: &str = "lane, 64";
    pub(crate) const NODE: &str = "Node";
    pub(crate) const CREW: &str = "portcrew, values";
    pub(crate) const CREW_TYPED: &str = "portcrew, typed";
    pub(crate) const CREW_ONE: &str = "portcrew, one by one";
    pub(crate) const BARE: &str = "bare, values";
    pub(crate) const BARE_TYPED: &str = "bare, typed";
    pub(crate) const BARE_ONE: &str = "bare, one by one";
    pub(crate) const NODE_ONE: &str = "Node, one by one";
    pub(crate) const NODE_TRIPS: &str = "Node, round trips";
    pub(crate) const CREW_TRIPS: &str = "portcrew, round trips";
}

pub(crate) fn run(
    pairs: &mut [Pair],
    args: &Args,
    interrupt: &Interrupt,
) -> Result<Vec<Row>, Failure> {
    let is_there = |it: &Item| args.wants(it.part) && pairs.iter().any(|pair| pair.who == it.who);
    let items = ITEMS.into_iter().filter(is_there);
    let mut rows: Vec<_> = items.map(|item| Row { item, slices: Vec::new() }).collect();
    for row in &rows {
        interrupt.check()?;
        row.item.slice(pairs, args.warm_up())?;
    }
    for round in 0..args.rounds() {
        let order = 0..rows.len();
        let order: Vec<_> = if round % 2 == 0 { order.collect() } else { order.rev().collect() };
        for index in order {
            interrupt.check()?;
            let sample = rows[index].item.slice(pairs, args.slice())?;
            rows[index].slices.push(sample);
        }
    }
    Ok(rows)
}

impl Item {
    #[allow(clippy::cast_precision_loss)]
    fn slice(&self, pairs: &mut [Pair], time: std::time::Duration) -> Result<Sample, Failure> {
        let pair = pairs.iter_mut().find(|pair| pair.who == self.who);
        let slice = pair.ok_or("its pair is not there")?.slice(self.how, time)?;
        if slice.done.count == 0 {
            return Err(format!("{}: nothing came in a whole slice", self.name).into());
        }
        let count = slice.done.count as f64;
        Ok(Sample {
            rate: count / slice.done.elapsed.as_secs_f64(),
            primary_us: slice.primary.as_secs_f64() * 1e6 / count,
            worker_us: slice.worker.as_secs_f64() * 1e6 / count,
        })
    }
}

impl Row {
    pub(crate) fn spread(&self, of: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.slices.iter().map(of))
    }

    /// First over second.
    pub(crate) fn ratio(&self, against: &Self, of: impl Fn(&Sample) -> f64) -> Option<Spread> {
        let rounds = self.slices.iter().zip(&against.slices);
        Spread::of(rounds.map(|(this, that)| of(this) / of(that)))
    }
}
