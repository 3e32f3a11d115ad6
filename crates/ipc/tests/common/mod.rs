//! What both binaries of tests have in common.

use std::io::{Write, stderr};
use std::time::Duration;

#[allow(dead_code, reason = "each binary uses a part of it")]
pub(crate) mod ends_world;
#[allow(dead_code, reason = "each binary uses a part of it")]
pub(crate) mod loopback;
#[allow(dead_code, reason = "each binary uses a part of it")]
pub(crate) mod wire;

/// No test depends on it; it turns a hang into a failure.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Says that a test does nothing here, where the runner does not swallow it.
pub(crate) fn skipped(reason: &str) {
    // Standard error being closed leaves nobody to tell.
    drop(writeln!(stderr(), "skipped: {reason}"));
}
