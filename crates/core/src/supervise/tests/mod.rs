//! The crew, one rule at a time: events in, actions out.

mod alive;
mod checker;
mod degraded;
mod hang;
mod hostile;
mod leaving;
mod numbers;
mod orders;
mod recycle;
mod reload;
mod restart;
mod rollback;
mod scale;
mod start;
mod stop;
mod walk;
mod world;

use std::time::Duration;

use super::{
    Action, Drain, Event, ExitWhenDegraded, Force, Found, Generation, Notice, Outcome, Phase,
    Readiness, Reason, Settings, SlotId, SlotState, Stage, Ticket,
};
use crate::primary::Exit;
use crate::{Errno, Time, WorkerId};
use world::{World, disconnected, forks, found, notices, signals};

const W1: WorkerId = WorkerId(1);
const W2: WorkerId = WorkerId(2);
const W3: WorkerId = WorkerId(3);
const W4: WorkerId = WorkerId(4);
const S0: SlotId = SlotId(0);
const S1: SlotId = SlotId(1);
const G0: Generation = Generation(0);
const G1: Generation = Generation(1);
const G2: Generation = Generation(2);
const CRASH: Exit = Exit::Code(1);

/// The verdict on a reload that was overtaken by the end of the crew.
fn abandoned(generation: Generation) -> Notice {
    Notice::RolledBack { generation, worker: None, reason: Reason::Stopped, unrestored: 0 }
}
