//! The programs that are run, built of the sources that this benchmark was built of.

use std::path::PathBuf;

use portcrew_testkit::process::artifact;

use crate::Failure;
use crate::build::build;

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
    /// They are of other crates.
    pub(crate) fn new() -> Result<Self, Failure> {
        build(&["-p", "portcrew-cli", "--bin", "portcrew"])?;
        build(&["-p", "portcrew", "--features", "hyper1", "--example", "hyper_hello"])?;
        Ok(Self { portcrew: artifact::command(), hello: artifact::example("hyper_hello") })
    }
}
