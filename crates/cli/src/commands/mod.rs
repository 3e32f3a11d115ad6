//! One file per command, and the choice among them.

mod demo;
mod dispatch;
mod run;

pub(crate) use dispatch::dispatch;
