//! Workers that leave or are told to, with and without connections.

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[];
