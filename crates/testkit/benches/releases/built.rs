//! The command under test, built of the sources that this benchmark was built of.

use std::path::PathBuf;
use std::process::Command;

use portcrew_testkit::process::artifact;

use crate::Failure;

/// Where it is. Cargo builds only the programs of the crate whose benchmark it runs, so it is asked for this one too;
/// by hand, without cargo, whatever is there is taken.
pub(crate) fn command() -> Result<PathBuf, Failure> {
    if let Some(cargo) = std::env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--release", "-p", "portcrew-cli", "--bin", "portcrew"]);
        if !build.status()?.success() {
            return Err("the command could not be built; the reason stands above".into());
        }
    }
    Ok(artifact::command())
}
