//! What a primary is told, and how workers are started.

mod advanced_serialization;
mod basic;
mod cwd;
mod fork_env;
mod fork_stdio;
mod fork_windows_hide;
mod inspect;
mod inspect_brk;
mod inspector_cluster_port_clash;
mod inspector_port_cluster;
mod inspector_port_zero_cluster;
mod look;
mod message;
mod setup_primary;
mod setup_primary_argv;
mod setup_primary_cumulative;
mod setup_primary_emit;
mod setup_primary_multiple;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[
    &basic::ROW,
    &cwd::ROW,
    &fork_env::ROW,
    &fork_stdio::ROW,
    &fork_windows_hide::ROW,
    &message::ROW,
    &advanced_serialization::ROW,
    &setup_primary::ROW,
    &setup_primary_argv::ROW,
    &setup_primary_cumulative::ROW,
    &setup_primary_emit::ROW,
    &setup_primary_multiple::ROW,
    &inspector_port_zero_cluster::ROW,
    &inspector_port_cluster::ROW,
    &inspect_brk::ROW,
    &inspector_cluster_port_clash::ROW,
];
