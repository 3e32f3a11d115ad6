//! Workers that leave or are told to, with and without connections.

mod concurrent_disconnect;
mod disconnect;
mod disconnect_before_exit;
mod disconnect_exited_race;
mod disconnect_idle_worker;
mod disconnect_leak;
mod disconnect_race;
mod disconnect_unshared_tcp;
mod disconnect_unshared_udp;
mod disconnect_with_no_workers;
mod invalid_message;
mod ipc_throw;
mod rr_domain_listen;
mod shared_leak;
mod worker_disconnect;
mod worker_disconnect_on_error;
mod worker_no_exit;
mod worker_wait_server_close;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[
    &concurrent_disconnect::ROW,
    &disconnect::ROW,
    &disconnect_before_exit::ROW,
    &disconnect_exited_race::ROW,
    &disconnect_idle_worker::ROW,
    &disconnect_leak::ROW,
    &disconnect_race::ROW,
    &disconnect_unshared_tcp::ROW,
    &disconnect_unshared_udp::ROW,
    &disconnect_with_no_workers::ROW,
    &invalid_message::ROW,
    &ipc_throw::ROW,
    &rr_domain_listen::ROW,
    &shared_leak::ROW,
    &worker_disconnect::ROW,
    &worker_disconnect_on_error::ROW,
    &worker_no_exit::ROW,
    &worker_wait_server_close::ROW,
];
