//! The programs of another crate that the rows run. Cargo does not build them for this test, and one that was left from
//! other sources would give answers of its own.

use std::path::PathBuf;
use std::sync::LazyLock;

use portcrew_testkit::process::artifact::binary;

/// Leads the workers of every runtime.
pub(crate) static PRIMARY: LazyLock<PathBuf> = LazyLock::new(|| binary("fixture-primary"));

/// The worker that a runtime's own primary leads.
pub(crate) static WORKER: LazyLock<PathBuf> = LazyLock::new(|| binary("fixture-server"));

/// Fails where one is missing or old: the whole run, and not row by row.
pub(crate) fn require() {
    LazyLock::force(&PRIMARY);
    LazyLock::force(&WORKER);
}
