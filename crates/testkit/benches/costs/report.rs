//! Everything that a run brings.

use serde::Serialize;

use crate::args::{Args, Part};
use crate::common::Failure;
use crate::common::machine::Machine;
use crate::ends::End;
use crate::growth::Size;
use crate::idle::Idle;
use crate::loss::Loss;
use crate::peers::Found;
use crate::start::Starts;
use crate::world::World;
use crate::{ends, growth, idle, loss, memory, start};

/// All parts that were asked for.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) peers: Found,
    /// Few of everything.
    pub(crate) quick: bool,
    pub(crate) start: Option<Starts>,
    pub(crate) memory: Option<memory::All>,
    pub(crate) growth: Vec<Size>,
    pub(crate) idle: Option<Idle>,
    pub(crate) ends: Vec<End>,
    pub(crate) loss: Vec<Loss>,
}

impl Report {
    pub(crate) fn new(args: &Args, world: World) -> Result<Self, Failure> {
        let counts = args.counts();
        let wants = |part| args.wants(part).then_some(());
        Ok(Self {
            peers: world.peers.found(),
            quick: args.quick,
            start: wants(Part::Start).map(|()| start::run(&world, &counts)).transpose()?,
            memory: wants(Part::Memory).map(|()| memory::run(&world, &counts)).transpose()?,
            growth: wants(Part::Growth)
                .map_or_else(|| Ok(Vec::new()), |()| growth::run(&world, &counts))?,
            idle: wants(Part::Idle).map(|()| idle::run(&world, &counts)).transpose()?,
            ends: wants(Part::Ends)
                .map_or_else(|| Ok(Vec::new()), |()| ends::run(&world, &counts))?,
            loss: wants(Part::Loss)
                .map_or_else(|| Ok(Vec::new()), |()| loss::run(&world, &counts))?,
            machine: world.machine,
        })
    }
}
