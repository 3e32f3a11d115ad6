//! The header that a proxy puts before a connection's own bytes: PROXY protocol, versions 1 and 2.
//!
//! The source of every rule is the specification that HAProxy keeps (`doc/proxy-protocol.txt`, sections 2.1
//! and 2.2). Its receiver must not guess whether a header is there: where one is expected, a connection
//! without one has no source, and nothing is looked for behind it.

mod header;
mod v1;
mod v2;

pub use header::{PROXY_BYTES, ProxyHeader, proxy_header};
pub use v1::PROXY_LINE_BYTES;
