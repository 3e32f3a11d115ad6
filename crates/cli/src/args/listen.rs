//! `--listen ADDR`: one address that the primary listens on by itself, as written.

use portcrew::{Error, ListenOn};

/// Reads an address.
///
/// # Errors
/// The reason in words; the argument parser says the rest.
pub(super) fn parse(text: &str) -> Result<ListenOn, String> {
    text.parse().map_err(|error| match error {
        Error::Address { reason, .. } => reason.to_owned(),
        error => error.to_string(),
    })
}
