//! UDP sockets that workers share.

mod bind_error;
mod bind_fd;
mod child_index;
mod close_before_reply;
mod close_during_bind;
mod close_in_listening;
mod dgram_1;
mod dgram_2;
mod ipv6only;
mod reuse;
mod reuseport;
mod ten;
mod unref;

use crate::row::Row;

pub(super) const ROWS: &[&Row] = &[
    &child_index::ROW,
    &dgram_1::ROW,
    &dgram_2::ROW,
    &bind_fd::ROW,
    &ipv6only::ROW,
    &reuse::ROW,
    &reuseport::ROW,
    &close_before_reply::ROW,
    &bind_error::ROW,
    &close_during_bind::ROW,
    &close_in_listening::ROW,
    &unref::ROW,
];
