//! The crews that the benchmarks hold against each other.

use std::path::Path;

use portcrew_testkit::node::{self, Node};
use portcrew_testkit::process::Program;

use super::fixture::{Accept, Hello, Policy};
use super::server::Entry;

/// The names in the tables. Ratios refer to them.
pub(crate) mod name {
    pub(crate) const CREW: &str = "portcrew";
    pub(crate) const CREW_MINIMAL: &str = "portcrew minimal";
    pub(crate) const CREW_KERNEL_MINIMAL: &str = "portcrew kernel minimal";
    pub(crate) const CREW_SHARED_MINIMAL: &str = "portcrew shared minimal";
    pub(crate) const CREW_SHARED: &str = "portcrew shared";
    pub(crate) const CREW_KERNEL: &str = "portcrew kernel";
    pub(crate) const CREW_OF_NODE_KERNEL: &str = "portcrew kernel + Node";
    pub(crate) const CREW_OF_NODE: &str = "portcrew + Node";
    pub(crate) const NODE: &str = "Node cluster";
    pub(crate) const NODE_SHARED: &str = "Node cluster shared";
}

/// What all crews of one run have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crews {
    pub(crate) workers: u16,
    /// What those of Rust are written with.
    pub(crate) hello: Hello,
    /// What those of Node run, in `fixtures/`.
    pub(crate) script: &'static str,
}

impl Crews {
    /// A portcrew crew of this program or, by `exe`, of another build of it.
    pub(crate) fn of_rust(&self, exe: &Path, name: &str, policy: Policy) -> Entry {
        let workers = self.workers.to_string();
        let program = own(exe, name).args(["crew", policy.word(), &workers, self.hello.word()]);
        self.entry(name, policy, program)
    }

    /// Processes that know nothing of each other, each with its own SO_REUSEPORT socket.
    pub(crate) fn prefork(&self, exe: &Path, name: &str) -> Entry {
        let words = ["prefork", &self.workers.to_string(), self.hello.word()];
        self.entry(name, Policy::Kernel, own(exe, name).args(words))
    }

    /// The same with a bare epoll, with one socket for all as well, and with one process that hands over.
    pub(crate) fn floor(&self, exe: &Path, name: &str, accept: Accept) -> Entry {
        let words = ["floor", accept.word(), &self.workers.to_string()];
        let alike = match accept {
            Accept::Handed => Policy::RoundRobin,
            Accept::Shared => Policy::Shared,
            Accept::Own => Policy::Kernel,
        };
        self.entry(name, alike, own(exe, name).args(words))
    }

    /// A portcrew crew of Node workers that know nothing of it.
    pub(crate) fn of_node(&self, exe: &Path, node: &Node, name: &str, policy: Policy) -> Entry {
        let workers = self.workers.to_string();
        let program = own(exe, name).args(["program", policy.word(), &workers]);
        let program = program.arg(node.path()).arg(node::fixture(self.script));
        self.entry(name, policy, program.env_remove("NODE_OPTIONS"))
    }

    /// Node's own cluster of the same script.
    pub(crate) fn of_nodes_own(&self, node: &Node, name: &str, policy: Policy) -> Entry {
        let in_nodes_words = match policy {
            Policy::RoundRobin => "rr",
            // It has no other.
            Policy::Shared | Policy::Kernel => "none",
        };
        let program = node
            .fixture("cluster_branch.js")
            .env("NODE_CLUSTER_SCHED_POLICY", in_nodes_words)
            .env("WORKERS", self.workers.to_string())
            .env("SERVE_SCRIPT", node::fixture(self.script));
        self.entry(name, policy, program)
    }

    fn entry(&self, name: &str, policy: Policy, program: Program) -> Entry {
        let hands_over = match policy {
            Policy::RoundRobin => true,
            Policy::Shared | Policy::Kernel => false,
        };
        Entry { name: name.to_owned(), hands_over, program, listeners: self.workers }
    }
}

/// A benchmark's program as one of its own servers; what follows are the words of [`Fixture`](super::fixture::Fixture).
pub(crate) fn own(exe: &Path, name: &str) -> Program {
    Program::new(exe).name(name).arg("serve")
}
