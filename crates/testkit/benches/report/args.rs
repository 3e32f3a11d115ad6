//! What the benchmark can be asked for.

use std::path::{Path, PathBuf};

use clap::Parser;

/// All benchmarks in one run: portcrew with Rust and Node workers, Node's cluster, PM2, nginx and plain servers.
///
/// Writes README.md, results.json and plots into docs/benchmarks. Takes about 15 minutes after everything is built.
#[derive(Debug, Parser)]
#[command(name = "report")]
pub(crate) struct Args {
    /// A glance of about two minutes: few and short slices. The figures are coarse, and Node is still compiling.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The directory that the table, the plots and the JSON are written into; by default docs/benchmarks of the sources,
    /// or target/benchmarks/quick for a glance.
    #[arg(long, value_name = "DIRECTORY")]
    out: Option<PathBuf>,
    /// Measure nothing: write it all anew from what the last run measured.
    #[arg(long)]
    pub(crate) render: bool,
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    /// Where the sources are.
    pub(crate) fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Where the other benchmarks leave what they have measured.
    pub(crate) fn measured(&self) -> PathBuf {
        let target = Self::root().join("target/benchmarks");
        target.join(if self.quick { "measured-quick" } else { "measured" })
    }

    /// Where everything is written.
    pub(crate) fn written(&self) -> PathBuf {
        let default = if self.quick { "target/benchmarks/quick" } else { "docs/benchmarks" };
        self.out.clone().unwrap_or_else(|| Self::root().join(default))
    }
}
