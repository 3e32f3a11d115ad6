//! What a primary is told, and how workers are started.

mod basic;
mod message;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[&basic::ROW, &message::ROW];
