//! `--env K=V`: one variable for the workers' environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::output::words::usage;

/// The variables by which a worker finds its channel, and its place in PM2's words. The primary sets them anew for each
/// worker; a value from outside would make a worker talk into a descriptor of somebody else.
const RESERVED: [&str; 4] =
    ["NODE_UNIQUE_ID", "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE", "NODE_APP_INSTANCE"];

/// Prefix of the project's own variables, reserved for the same reason.
const OWN_PREFIX: &[u8] = b"PORTCREW_";

/// Those by which systemd gives sockets to a process, and the primary to workers with `--listen`.
const OF_SOCKETS: [&str; 4] = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

/// Those of the notify socket, which are the primary's where workers have one of it.
const OF_NOTIFY: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/// One variable and its value. The value may be any bytes but NUL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) key: OsString,
    pub(crate) value: OsString,
}

impl Assignment {
    /// Splits `K=V` at the first `=`.
    ///
    /// # Errors
    /// The reason in words: no `=`, no key, or a key that is the primary's to set.
    pub(crate) fn parse(text: &OsStr) -> Result<Self, String> {
        let bytes = text.as_bytes();
        let at = bytes.iter().position(|b| *b == b'=').ok_or_else(usage::env_without_value)?;
        let (key, value) = (&bytes[..at], &bytes[at + 1..]);
        if key.is_empty() {
            return Err(usage::env_without_key());
        }
        if OF_SOCKETS.iter().any(|it| it.as_bytes() == key) {
            return Err(usage::env_sockets());
        }
        if key.starts_with(OWN_PREFIX) || RESERVED.iter().any(|r| r.as_bytes() == key) {
            return Err(usage::env_reserved());
        }
        Ok(Self {
            key: OsString::from_vec(key.to_vec()),
            value: OsString::from_vec(value.to_vec()),
        })
    }

    /// Whether it says where a worker tells that it is ready or alive.
    pub(crate) fn is_about_notify(&self) -> bool {
        OF_NOTIFY.iter().any(|it| self.key == *it)
    }
}

/// The parser of one `--env` value; values need not be UTF-8.
pub(super) fn parser() -> impl TypedValueParser<Value = Assignment> {
    OsStringValueParser::new().try_map(|text| Assignment::parse(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
        let one = Assignment::parse(OsStr::from_bytes(text))?;
        Ok((one.key.into_vec(), one.value.into_vec()))
    }

    #[test]
    fn the_first_equals_sign_divides_and_the_value_may_be_empty_or_not_text() {
        assert_eq!(parse(b"A=b=c"), Ok((b"A".to_vec(), b"b=c".to_vec())));
        assert_eq!(parse(b"A="), Ok((b"A".to_vec(), Vec::new())));
        assert_eq!(parse(b"A=\xff"), Ok((b"A".to_vec(), b"\xff".to_vec())));
    }

    #[test]
    fn what_is_no_assignment_and_what_belongs_to_the_channel_is_refused() {
        assert_eq!(parse(b"A"), Err(usage::env_without_value()));
        assert_eq!(parse(b"=b"), Err(usage::env_without_key()));
        assert_eq!(parse(b"NODE_CHANNEL_FD=3"), Err(usage::env_reserved()));
        assert_eq!(parse(b"NODE_APP_INSTANCE=4"), Err(usage::env_reserved()));
        assert_eq!(parse(b"PORTCREW_LANE_FD=4"), Err(usage::env_reserved()));
        for name in ["FDS", "PID", "FDNAMES", "PIDFDID"] {
            let assignment = format!("LISTEN_{name}=1");
            assert_eq!(parse(assignment.as_bytes()), Err(usage::env_sockets()));
        }
        assert!(parse(b"LISTEN_PORT=80").is_ok());
        assert!(parse(b"NODE_ENV=production").is_ok());
    }
}
