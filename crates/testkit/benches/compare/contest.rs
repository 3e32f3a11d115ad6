//! The servers that are compared.

use std::path::Path;

use portcrew_testkit::node::Node;
use portcrew_testkit::process::Program;

use crate::args::Args;
use crate::common::Failure;
use crate::common::crews::{self, Crews, name};
use crate::common::fixture::{Accept, Hello, Policy};
use crate::common::server::{self, Entry, Server};
use crate::peers::{self, Peers};

/// The servers without a crew in the tables.
pub(crate) mod plain {
    /// Processes that know nothing of each other, each with its own SO_REUSEPORT socket.
    pub(crate) const PREFORK: &str = "prefork Rust";
    pub(crate) const RUST: &str = "plain Rust";
    /// The standard library alone.
    pub(crate) const THREADS: &str = "plain Rust threads";
    pub(crate) const NODE: &str = "plain Node";
    /// Processes with a bare epoll, each with its own SO_REUSEPORT socket.
    pub(crate) const FLOOR: &str = "epoll prefork";
    /// Those that accept from one socket.
    pub(crate) const FLOOR_SHARED: &str = "epoll prefork shared";
    /// Those that one process hands over to.
    pub(crate) const FLOOR_HANDED: &str = "epoll hand-over";
}

/// Starts all that were asked for, one after another, and returns when all listen.
pub(crate) fn start(
    args: &Args,
    node: Option<&Node>,
    peers: &Peers,
) -> Result<Vec<Server>, Failure> {
    let crews = Crews { workers: args.workers, hello: args.hello, script: "hello.js" };
    let mut entries = server::with_other(args.other.as_deref(), |exe| ours(exe, &crews, node))?;
    entries.extend(floors(&std::env::current_exe()?, &crews));
    if let Some(node) = node {
        entries.extend(nodes(node, &crews));
    }
    let others = peers.names().map(str::to_owned);
    let names: Vec<_> = entries.iter().map(|it| it.name.clone()).chain(others).collect();
    server::check(&args.server, &names)?;
    let mut servers = server::start(entries, &args.server);
    servers.extend(peers::start(peers, args.workers, &args.server)?);
    Ok(servers)
}

/// The rows of this program, or of another build of it.
fn ours(exe: &Path, crews: &Crews, node: Option<&Node>) -> Vec<Entry> {
    let mut rows = vec![
        crews.of_rust(exe, name::CREW, Policy::RoundRobin),
        crews.of_rust(exe, name::CREW_SHARED, Policy::Shared),
        crews.of_rust(exe, name::CREW_KERNEL, Policy::Kernel),
    ];
    if let Hello::Hyper = crews.hello {
        let crews = Crews { hello: Hello::Minimal, ..*crews };
        rows.push(crews.of_rust(exe, name::CREW_MINIMAL, Policy::RoundRobin));
        rows.push(crews.of_rust(exe, name::CREW_SHARED_MINIMAL, Policy::Shared));
        rows.push(crews.of_rust(exe, name::CREW_KERNEL_MINIMAL, Policy::Kernel));
    }
    if let Some(node) = node {
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE, Policy::RoundRobin));
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE_KERNEL, Policy::Kernel));
    }
    rows
}

/// Those of this program without portcrew: one process, and processes that share a port.
fn floors(exe: &Path, crews: &Crews) -> [Entry; 6] {
    let single = crews::own(exe, plain::RUST).args(["single", crews.hello.word()]);
    let threads = crews::own(exe, plain::THREADS).arg("threads");
    [
        crews.prefork(exe, plain::PREFORK),
        crews.floor(exe, plain::FLOOR, Accept::Own),
        crews.floor(exe, plain::FLOOR_SHARED, Accept::Shared),
        crews.floor(exe, plain::FLOOR_HANDED, Accept::Handed),
        one_process(plain::RUST, single),
        one_process(plain::THREADS, threads),
    ]
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
