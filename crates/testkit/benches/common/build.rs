//! Programs of other crates, built of the sources that a benchmark was built of.

use std::process::Command;

use crate::Failure;

/// Cargo builds only the programs of the crate whose benchmark it runs, so it is asked for these too; by hand, without
/// cargo, whatever is there is taken.
pub(crate) fn build(what: &[&str]) -> Result<(), Failure> {
    let Some(cargo) = std::env::var_os("CARGO") else {
        return Ok(());
    };
    let status = Command::new(cargo).args(["build", "--quiet", "--release"]).args(what).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} could not be built; the reason stands above", what.join(" ")).into())
    }
}
