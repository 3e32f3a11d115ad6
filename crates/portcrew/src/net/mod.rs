//! The system calls of listening sockets: bind for the primary, accept for whoever accepts.

pub(crate) mod accept;
pub(crate) mod activation;
pub(crate) mod bind;
pub(crate) mod exclusive;
pub(crate) mod group;
pub(crate) mod host_port;
pub(crate) mod refused;
pub(crate) mod unix_path;
pub(crate) mod zone;
