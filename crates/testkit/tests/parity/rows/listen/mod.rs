//! Every form of `listen`, its errors, and who gets the connections.

mod accept_fail;
mod bind_privileged_port;
mod bind_twice;
mod child_index_net;
mod child_net_reuseport;
mod eaccess;
mod eaddrinuse;
mod http_pipe;
mod http_server_drop_connections;
mod listen_fd_cluster;
mod listen_pipe_readable_writable;
mod listening_port;
mod net_listen;
mod net_listen_backlog;
mod net_listen_handle;
mod net_listen_ipv6only;
mod net_listen_ipv6only_false;
mod net_listen_relative_path;
mod net_reuseport;
mod net_server_drop_connection;
mod port_reuse_between_workers;
mod server_close_before_response;
mod server_restart;
mod shared_handle_bind_error;
mod tls_ticket_cluster;
mod worker_handle_close;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[
    &accept_fail::ROW,
    &bind_privileged_port::RR,
    &bind_twice::ROW,
    &child_index_net::ROW,
    &eaccess::ROW,
    &eaddrinuse::ROW,
    &http_pipe::ROW,
    &listen_pipe_readable_writable::ROW,
    &listening_port::ROW,
    &net_listen::ROW,
    &net_listen_backlog::ROW,
    &net_listen_ipv6only_false::ROW,
    &net_listen_relative_path::ROW,
    &net_reuseport::ROW,
    &net_server_drop_connection::ROW,
    &server_restart::NONE,
    &server_restart::RR,
    &shared_handle_bind_error::ROW,
    &bind_privileged_port::NONE,
    &worker_handle_close::ROW,
    &http_server_drop_connections::ROW,
    &net_listen_handle::SENT,
    &net_listen_handle::OWN,
    &server_close_before_response::ROW,
    &listen_fd_cluster::ROW,
    &tls_ticket_cluster::ROW,
    &net_listen_ipv6only::NONE,
    &net_listen_ipv6only::RR,
    &port_reuse_between_workers::ROW,
    &child_net_reuseport::ROW,
];
