//! What is looked for in first bytes: core's words and the carrier's.

use portcrew_core::scheduler::{Look, LookFor};
use portcrew_ipc::peek::{self, BadKeyName, Key};

/// # Errors
/// No request can have something of that name.
pub(crate) fn look(look: &Look) -> Result<peek::Look, BadKeyName> {
    let key = look.value.as_ref().map(|value| match value {
        LookFor::Cookie(name) => Key::cookie(name),
        LookFor::Header(name) => Key::header(name),
        LookFor::Query(name) => Key::query(name),
    });
    Ok(peek::Look { proxy: look.proxy, key: key.transpose()?, ..peek::Look::default() })
}
