//! Workers that live, exit, are killed, and lose their primary.

mod call_and_destroy;
mod fork_closed_channel;
mod kill_disconnect;
mod kill_infinite_loop;
mod primary_error;
mod primary_kill;
mod process_disconnect;
mod rr_handle_close;
mod rr_handle_keep_loop_alive;
mod rr_handle_ref_unref;
mod rr_ref;
mod uncaught_exception;
mod worker_constructor;
mod worker_death;
mod worker_destroy;
mod worker_events;
mod worker_exit;
mod worker_forced_exit;
mod worker_init;
mod worker_isconnected;
mod worker_isdead;
mod worker_kill;
mod worker_kill_signal;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[
    &call_and_destroy::ROW,
    &kill_disconnect::ROW,
    &kill_infinite_loop::ROW,
    &primary_error::ROW,
    &primary_kill::ROW,
    &process_disconnect::ROW,
    &rr_handle_close::ROW,
    &rr_handle_keep_loop_alive::ROW,
    &rr_handle_ref_unref::ROW,
    &rr_ref::ROW,
    &uncaught_exception::ROW,
    &worker_constructor::ROW,
    &worker_death::ROW,
    &worker_destroy::ROW,
    &worker_events::ROW,
    &worker_exit::ROW,
    &worker_forced_exit::ROW,
    &worker_init::ROW,
    &worker_isconnected::ROW,
    &worker_isdead::ROW,
    &worker_kill::ROW,
    &worker_kill_signal::ROW,
    &fork_closed_channel::ROW,
];
