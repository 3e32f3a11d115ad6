//! From the text of an address to the address. Workers resolve names, as in Node; the primary never
//! does for them.

use std::net::SocketAddr;

use crate::{Error, ListenError, Result};

/// The first address of a host, as Node takes it.
pub(super) async fn resolve(given: &str, host: &str, port: u16) -> Result<SocketAddr> {
    let failed = |source| Error::Listen(ListenError::unresolved(given, host, port, source));
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(failed)?;
    let reason = "the name has no address";
    found.next().ok_or_else(|| Error::Address { given: given.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_resolved_here() {
        let address = resolve("localhost:7", "localhost", 7).await.unwrap();
        assert!(address.ip().is_loopback());
        assert_eq!(address.port(), 7);
    }
}
