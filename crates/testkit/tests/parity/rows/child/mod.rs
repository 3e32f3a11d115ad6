//! `send` with and without a socket, and `child_process.fork` below the cluster.

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[];
