//! What all parts of a run have: the command under test, Node, PM2 where it is, and Ctrl-C.

use portcrew_testkit::node::Node;

use crate::Failure;
use crate::args::{Args, Manager};
use crate::built::Built;
use crate::interrupt::Interrupt;
use crate::machine::Machine;
use crate::pm2::Cli;

/// What a run has to work with.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) built: Built,
    /// Whether it has a part where PM2 has one.
    pub(crate) ours: bool,
    pub(crate) machine: Machine,
    /// PM2's command, where it is in the cache and Node is there.
    pub(crate) pm2: Option<Cli>,
    pub(crate) interrupt: Interrupt,
}

impl World {
    pub(crate) fn new(args: &Args) -> Result<Self, Failure> {
        let machine = Machine::look();
        let wanted = machine.node.as_ref().filter(|_| args.has(Manager::Pm2));
        let (pm2, ours) = (wanted.and_then(Cli::find), args.has(Manager::Portcrew));
        let built = Built::new()?;
        Ok(Self { built, ours, machine, pm2, interrupt: Interrupt::listen()? })
    }

    /// The Node of all Node crews.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn node(&self) -> Result<&Node, Failure> {
        self.machine.node.as_ref().ok_or_else(|| "this needs Node.js on PATH".into())
    }
}
