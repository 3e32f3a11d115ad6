//! How a benchmark says what it has found.

use std::io::{self, StdoutLock, Write as _};

use serde::Serialize;

/// Prints a report: as JSON where that was asked for, else as tables.
pub(crate) fn print<R: Serialize>(
    report: &R,
    json: bool,
    tables: impl FnOnce(&mut StdoutLock<'static>, &R) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if !json {
        return tables(&mut out, report);
    }
    serde_json::to_writer_pretty(&mut out, report)?;
    writeln!(out)
}
