//! One file per command (those that end a crew in one way share theirs), and the choice among them.
//!
//! `each` is what the commands to running crews have in common, `control` what those that start one have.

mod completions;
mod control;
mod demo;
mod describe;
mod dispatch;
mod doctor;
mod each;
mod events;
mod list;
mod policy;
mod reload;
mod run;
mod scale;
mod start;
mod stop;
mod why;

pub(crate) use dispatch::dispatch;
