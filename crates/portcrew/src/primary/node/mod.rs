//! What a Node program's own options ask for, worker by worker, and what Node's cluster adds to them: a port for
//! each inspector, a file for each profile.

mod inspector;
mod options;
mod words;

pub(super) use inspector::{Inspector, Numbers};
pub(super) use options::Wish;
