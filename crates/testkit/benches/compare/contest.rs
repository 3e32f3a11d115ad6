//! The servers that are compared.

use std::path::Path;

use portcrew_testkit::node::Node;
use portcrew_testkit::process::Program;

use crate::args::Args;
use crate::common::Failure;
use crate::common::crews::{self, Crews, name};
use crate::common::fixture::Policy;
use crate::common::server::{self, Entry, Server};

/// The servers without a crew in the tables.
pub(crate) mod plain {
    /// Processes that know nothing of each other, each with its own SO_REUSEPORT socket.
    pub(crate) const PREFORK: &str = "prefork Rust";
    pub(crate) const RUST: &str = "plain Rust";
    pub(crate) const NODE: &str = "plain Node";
}

/// Starts all that were asked for, one after another, and returns when all listen.
pub(crate) fn start(args: &Args, node: Option<&Node>) -> Result<Vec<Server>, Failure> {
    let crews = Crews { workers: args.workers, hello: args.hello, script: "hello.js" };
    let mut entries =
        server::with_other(args.other.as_deref(), |exe| ours(exe, args, &crews, node))?;
    if let Some(node) = node {
        entries.extend(nodes(node, &crews));
    }
    server::start(entries, &args.server)
}

/// The rows of this program, or of another build of it.
fn ours(exe: &Path, args: &Args, crews: &Crews, node: Option<&Node>) -> Vec<Entry> {
    let single = crews::own(exe, plain::RUST).args(["single", args.hello.word()]);
    let words = ["prefork", &args.workers.to_string(), args.hello.word()];
    let program = crews::own(exe, plain::PREFORK).args(words);
    let prefork = Entry { listeners: args.workers, ..one_process(plain::PREFORK, program) };
    let mut rows = vec![
        crews.of_rust(exe, name::CREW, Policy::RoundRobin),
        crews.of_rust(exe, name::CREW_SHARED, Policy::Shared),
        crews.of_rust(exe, name::CREW_KERNEL, Policy::Kernel),
        prefork,
        one_process(plain::RUST, single),
    ];
    if let Some(node) = node {
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE, Policy::RoundRobin));
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE_KERNEL, Policy::Kernel));
    }
    rows
}

fn nodes(node: &Node, crews: &Crews) -> [Entry; 3] {
    [
        crews.of_nodes_own(node, name::NODE, Policy::RoundRobin),
        crews.of_nodes_own(node, name::NODE_SHARED, Policy::Shared),
        one_process(plain::NODE, node.fixture(crews.script)),
    ]
}

fn one_process(name: &str, program: Program) -> Entry {
    Entry { name: name.to_owned(), hands_over: false, program, listeners: 1 }
}
