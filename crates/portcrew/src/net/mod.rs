//! The system calls of listening sockets: bind for the primary, accept for whoever accepts.

pub(crate) mod accept;
pub(crate) mod bind;
pub(crate) mod exclusive;
