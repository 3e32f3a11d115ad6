//! The servers that are compared: every way in which a crew's workers can come by their connections.

use std::path::Path;

use portcrew_testkit::node::Node;

use crate::args::Args;
use crate::common::Failure;
use crate::common::crews::{Crews, name};
use crate::common::fixture::Policy;
use crate::common::server::{self, Entry, Server};

/// Node workers that accept themselves from a socket that portcrew gave them.
pub(crate) const CREW_OF_NODE_SHARED: &str = "portcrew + Node shared";

/// Starts all that were asked for, one after another, and returns when all listen.
pub(crate) fn start(args: &Args, node: Option<&Node>) -> Result<Vec<Server>, Failure> {
    let crews = Crews { workers: args.workers, hello: args.hello, script: "tail.js" };
    let mut entries = server::with_other(args.other.as_deref(), |exe| ours(exe, &crews, node))?;
    if let Some(node) = node {
        entries.push(crews.of_nodes_own(node, name::NODE, Policy::RoundRobin));
        entries.push(crews.of_nodes_own(node, name::NODE_SHARED, Policy::Shared));
    }
    let names: Vec<_> = entries.iter().map(|it| it.name.clone()).collect();
    server::check(&args.server, &names)?;
    Ok(server::start(entries, &args.server))
}

/// The rows of this program, or of another build of it.
fn ours(exe: &Path, crews: &Crews, node: Option<&Node>) -> Vec<Entry> {
    let mut rows = vec![
        crews.of_rust(exe, name::CREW, Policy::RoundRobin),
        crews.of_rust(exe, name::CREW_SHARED, Policy::Shared),
        crews.of_rust(exe, name::CREW_KERNEL, Policy::Kernel),
    ];
    if let Some(node) = node {
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE, Policy::RoundRobin));
        rows.push(crews.of_node(exe, node, CREW_OF_NODE_SHARED, Policy::Shared));
        rows.push(crews.of_node(exe, node, name::CREW_OF_NODE_KERNEL, Policy::Kernel));
    }
    rows
}
