//! The processes: the lane and the kernel's own calls for descriptors, a crew and a bare socket for messages.

mod bare;
mod crew;
mod kinds;
mod lane;
mod sendmsg;
mod worker;

pub(crate) use kinds::{Player, play};
use worker::say;
