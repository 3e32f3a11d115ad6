//! Every form of `listen`, its errors, and who gets the connections.

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[];
