//! `send` with and without a socket, and `child_process.fork` below the cluster.

mod advanced_serialization;
mod advanced_serialization_largebuffer;
mod advanced_serialization_splitted_length_field;
mod dgram_reuseport;
mod disconnect;
mod fork3;
mod fork_advanced_header_serialization;
mod fork_args;
mod fork_close;
mod fork_dgram;
mod fork_exec_argv;
mod fork_exec_path;
mod fork_getconnections;
mod fork_net;
mod fork_net_server;
mod fork_net_socket;
mod fork_no_shell;
mod fork_ref;
mod fork_ref2;
mod fork_stdio;
mod fork_stdio_string_variant;
mod fork_url;
mod internal;
mod ipc_next_tick;
mod net_send;
mod pass_fd;
mod recv_handle;
mod send_after_close;
mod send_cb;
mod send_deadlock;
mod send_handle_large_payload;
mod send_handle_twice;
mod send_keep_open;
mod send_returns_boolean;
mod send_socket_to_worker_http_server;
mod send_type_error;
mod send_utf8;
mod silent;
mod stdin_ipc;
mod stdout_ipc;

use crate::row::Row;

/// What the rows about it lack.
const NO_CODEC: &str =
    "the codec of serialization: 'advanced'; asking for it is an error that names the setting";

pub(super) const ROWS: &[&Row] = &[
    &net_send::ROW,
    &send_deadlock::ROW,
    &send_handle_twice::ROW,
    &send_socket_to_worker_http_server::ROW,
    &send_handle_large_payload::ROW,
    &advanced_serialization::ROW,
    &advanced_serialization_largebuffer::ROW,
    &advanced_serialization_splitted_length_field::ROW,
    &fork_advanced_header_serialization::ROW,
    &disconnect::ROW,
    &fork_args::ROW,
    &fork_exec_argv::ROW,
    &fork_exec_path::ROW,
    &fork_no_shell::ROW,
    &fork_url::ROW,
    &fork3::ROW,
    &fork_stdio::ROW,
    &fork_stdio_string_variant::ROW,
    &silent::ROW,
    &stdin_ipc::ROW,
    &stdout_ipc::ROW,
    &fork_close::ROW,
    &fork_ref::ROW,
    &fork_ref2::ROW,
    &fork_dgram::ROW,
    &fork_net::ROW,
    &fork_net_socket::ROW,
    &fork_net_server::ROW,
    &fork_getconnections::ROW,
    &internal::ROW,
    &ipc_next_tick::ROW,
    &recv_handle::ROW,
    &send_keep_open::ROW,
    &send_returns_boolean::ROW,
    &send_after_close::ROW,
    &send_cb::ROW,
    &send_type_error::ROW,
    &send_utf8::ROW,
    &dgram_reuseport::ROW,
    &pass_fd::ROW,
];
