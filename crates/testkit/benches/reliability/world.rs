//! What all parts of a run have: the programs, the peers that are there, and Ctrl-C.

use std::path::PathBuf;

use portcrew_testkit::node::Node;
use portcrew_testkit::process::artifact;

use crate::Failure;
use crate::build::build;
use crate::interrupt::Interrupt;
use crate::machine::Machine;
use crate::nginx::Nginx;
use crate::place::Place;
use crate::pm2::Cli;

/// What a run has to work with.
#[derive(Debug)]
pub(crate) struct World {
    /// The command under test.
    pub(crate) portcrew: PathBuf,
    pub(crate) machine: Machine,
    /// PM2's command, where it is in the cache and Node is there.
    pub(crate) pm2: Option<Cli>,
    pub(crate) nginx: Option<Nginx>,
    pub(crate) interrupt: Interrupt,
}

impl World {
    pub(crate) fn new() -> Result<Self, Failure> {
        build(&["-p", "portcrew-cli", "--bin", "portcrew"])?;
        let machine = Machine::look();
        let pm2 = machine.node.as_ref().and_then(Cli::find);
        let (portcrew, nginx) = (artifact::command(), Nginx::find());
        Ok(Self { portcrew, machine, pm2, nginx, interrupt: Interrupt::listen()? })
    }

    /// The Node of all Node crews; none where it is not there.
    pub(crate) fn node(&self) -> Option<&Node> {
        self.machine.node.as_ref()
    }

    /// Whether `portcrew run` has this option: an older build is measured without it.
    pub(crate) fn knows(&self, option: &str) -> Result<bool, Failure> {
        let help = Place::new(&self.portcrew)?.ask(&["run", "--help"]).out;
        Ok(help.split_whitespace().any(|word| word == option))
    }

    /// How the programs were built: figures of a debug build say little.
    pub(crate) const fn profile() -> &'static str {
        if cfg!(debug_assertions) { "debug" } else { "release" }
    }
}
