//! The programs that are run, built of the sources that this benchmark was built of.

use std::path::PathBuf;
use std::process::Command;

use portcrew_testkit::process::artifact;

use crate::Failure;

/// Where they are.
#[derive(Debug)]
pub(crate) struct Built {
    /// The command under test.
    pub(crate) portcrew: PathBuf,
    /// The program of the Rust crews: the library's example, which listens on `PORT` and says `Connection: close`
    /// while it drains.
    pub(crate) hello: PathBuf,
}

impl Built {
    /// Cargo builds only the programs of the crate whose benchmark it runs, so it is asked for these too; by hand,
    /// without cargo, whatever is there is taken.
    pub(crate) fn new() -> Result<Self, Failure> {
        build(&["-p", "portcrew-cli", "--bin", "portcrew"])?;
        build(&["-p", "portcrew", "--features", "hyper1", "--example", "hyper_hello"])?;
        Ok(Self { portcrew: artifact::command(), hello: artifact::example("hyper_hello") })
    }
}

fn build(what: &[&str]) -> Result<(), Failure> {
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
