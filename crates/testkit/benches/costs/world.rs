//! What all parts of a run have: the programs, the peers that are there, and Ctrl-C.

use std::path::PathBuf;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::ports;
use portcrew_testkit::process::{Program, artifact, eventually, proc_fs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::build::build;
use crate::common::Failure;
use crate::common::crews::{Crews, name};
use crate::common::fixture::{Hello, Policy};
use crate::common::interrupt::Interrupt;
use crate::common::machine::Machine;
use crate::common::server::{Entry, Server};
use crate::peers::Peers;
use crate::place::{HANG, Place};

/// The names in the tables, beside those of the library's crews.
pub(crate) mod command {
    pub(crate) const OF_NODE: &str = "`portcrew run` + Node";
}

/// A crew as users write one. The library's other crews here are this benchmark, which is more than the library.
pub(crate) const EXAMPLE: &str = "hyper_hello";

/// What a run has to work with.
#[derive(Debug)]
pub(crate) struct World {
    exe: PathBuf,
    portcrew: PathBuf,
    example: PathBuf,
    pub(crate) machine: Machine,
    pub(crate) peers: Peers,
    pub(crate) interrupt: Interrupt,
    /// The most descriptors that a process here can have.
    pub(crate) descriptors: u64,
}

impl World {
    pub(crate) fn new() -> Result<Self, Failure> {
        build(&["-p", "portcrew-cli", "--bin", "portcrew"])?;
        build(&["-p", "portcrew", "--features", "hyper1", "--example", EXAMPLE])?;
        let machine = Machine::look();
        Ok(Self {
            exe: std::env::current_exe()?,
            portcrew: artifact::command(),
            example: artifact::example(EXAMPLE),
            peers: Peers::find(machine.node.as_ref()),
            machine,
            interrupt: Interrupt::listen()?,
            descriptors: raise_descriptors()?,
        })
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        self.machine.node.as_ref()
    }

    /// A crew of Rust workers.
    pub(crate) fn of_rust(&self, name: &str, policy: Policy, workers: u16, hello: Hello) -> Entry {
        crews(workers, hello).of_rust(&self.exe, name, policy)
    }

    /// The library's example, with a worker for each processor, once all are there and it answers.
    pub(crate) fn example(&self) -> Result<Server, Failure> {
        let address = ports::free();
        let program = Program::new(&self.example).env("PORT", address.port().to_string());
        let process = program.start();
        let workers = std::thread::available_parallelism()?.get();
        eventually("the example answers", HANG, || {
            let all = proc_fs::descendants(process.pid()).len() == workers;
            (all && Load::new(address).requests(1).run().ok == 1).then_some(())
        });
        Ok(Server::up(EXAMPLE.to_owned(), true, address, Box::new(process)))
    }

    /// Rust workers without a primary.
    pub(crate) fn prefork(&self, name: &str, workers: u16, hello: Hello) -> Entry {
        crews(workers, hello).prefork(&self.exe, name)
    }

    /// This program as anything else.
    pub(crate) fn own(&self, name: &str) -> Program {
        crate::common::crews::own(&self.exe, name)
    }

    /// The crews of Node workers: those of the library, of the command, and Node's own. None without Node.
    pub(crate) fn of_node(&self, workers: u16) -> Result<Vec<Entry>, Failure> {
        let Some(node) = self.node() else { return Ok(Vec::new()) };
        let crews = crews(workers, Hello::Hyper);
        Ok(vec![
            crews.of_node(&self.exe, node, name::CREW_OF_NODE, Policy::RoundRobin),
            self.by_command(node, workers)?,
            crews.of_nodes_own(node, name::NODE, Policy::RoundRobin),
        ])
    }

    fn by_command(&self, node: &Node, workers: u16) -> Result<Entry, Failure> {
        let place = Place::new(&self.portcrew)?;
        let count = workers.to_string();
        let program = place
            .command(["run", "--raw", "-w", &count, "--"])
            .arg(node.path())
            .arg(fixture("hello.js"))
            .keep(place);
        let name = command::OF_NODE.to_owned();
        Ok(Entry { name, hands_over: true, program, listeners: workers })
    }
}

fn crews(workers: u16, hello: Hello) -> Crews {
    Crews { workers, hello, script: "hello.js" }
}

/// To what is allowed, for this process and those that it starts. The soft limit is low for the sake of `select`.
fn raise_descriptors() -> Result<u64, Failure> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(u64::MAX))
}
