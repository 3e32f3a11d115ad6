//! Workers that live, exit, are killed, and lose their primary.

mod worker_death;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[&worker_death::ROW];
