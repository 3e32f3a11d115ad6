//! `--policy`: who gets a connection, for all listeners or for single ones, as written.

mod list;
pub(super) mod listener;
mod name;
mod nearest;
mod one;
mod sticky;

pub(crate) use list::Policies;
pub(crate) use nearest::nearest;
pub(crate) use one::Policy;
pub(crate) use sticky::Sticky;
