//! The servers that are compared: what they are called, how they are started, and where they answer.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use portcrew_testkit::node::{self, Node};
use portcrew_testkit::process::{Process, Program, proc_fs};

use crate::Failure;
use crate::args::{Args, Hello};

/// How long a server may take until it listens.
const STARTED_WITHIN: Duration = Duration::from_secs(20);

/// A server that is up. Dropping it ends its whole tree.
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    process: Process,
    /// Its workers; empty for a plain process.
    workers: Vec<u32>,
}

/// What a server is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A primary that hands over.
    Handover,
    /// Workers that accept themselves.
    Shared,
    /// One process.
    Single,
}

/// CPU time used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) tree: Duration,
    pub(crate) primary: Duration,
}

/// The names in the tables. Ratios refer to them.
pub(crate) mod name {
    pub(crate) const CREW: &str = "portcrew";
    pub(crate) const CREW_SHARED: &str = "portcrew shared";
    pub(crate) const PLAIN: &str = "plain Rust";
    pub(crate) const CREW_OF_NODE: &str = "portcrew + Node";
    pub(crate) const NODE: &str = "Node cluster";
    pub(crate) const NODE_SHARED: &str = "Node cluster shared";
    pub(crate) const NODE_PLAIN: &str = "plain Node";
}

/// Starts all that were asked for, one after another, and returns when all listen.
pub(crate) fn start(args: &Args, node: Option<&Node>) -> Result<Vec<Server>, Failure> {
    let own = std::env::current_exe()?;
    let mut entries = ours(&own, args, node, "");
    if let Some(other) = &args.other {
        entries.extend(ours(other, args, node, " (other)"));
    }
    if let Some(node) = node {
        entries.extend(nodes(node, args));
    }
    let wanted = |name: &str| args.server.is_empty() || args.server.iter().any(|it| it == name);
    let known = |name: &String| entries.iter().any(|entry| entry.name == *name);
    if let Some(unknown) = args.server.iter().find(|name| !known(name)) {
        return Err(format!("no server {unknown:?} here").into());
    }
    let workers = usize::from(args.workers);
    Ok(entries
        .into_iter()
        .filter(|entry| wanted(&entry.name))
        .map(|it| it.start(workers))
        .collect())
}

struct Entry {
    name: String,
    kind: Kind,
    program: Program,
}

/// The rows of this program, or of another build of it.
fn ours(exe: &Path, args: &Args, node: Option<&Node>, suffix: &str) -> Vec<Entry> {
    let workers = args.workers.to_string();
    let hello = match args.hello {
        Hello::Hyper => "hyper",
        Hello::Minimal => "minimal",
    };
    let serve = |kind, name: &str, words: &[&str]| Entry {
        name: format!("{name}{suffix}"),
        kind,
        program: Program::new(exe).name(name).arg("serve").args(words),
    };
    let mut rows = vec![
        serve(Kind::Handover, name::CREW, &["crew", "round-robin", &workers, hello]),
        serve(Kind::Shared, name::CREW_SHARED, &["crew", "shared", &workers, hello]),
        serve(Kind::Single, name::PLAIN, &["single", hello]),
    ];
    if let Some(node) = node {
        let words = ["program", "round-robin", &workers];
        let mut crew = serve(Kind::Handover, name::CREW_OF_NODE, &words);
        crew.program = crew.program.arg(node.path()).arg(node::fixture("hello.js"));
        crew.program = crew.program.env_remove("NODE_OPTIONS");
        rows.push(crew);
    }
    rows
}

fn nodes(node: &Node, args: &Args) -> Vec<Entry> {
    let cluster = |kind, name: &str, policy| Entry {
        name: name.to_owned(),
        kind,
        program: node
            .fixture("cluster_branch.js")
            .env("NODE_CLUSTER_SCHED_POLICY", policy)
            .env("WORKERS", args.workers.to_string()),
    };
    vec![
        cluster(Kind::Handover, name::NODE, "rr"),
        cluster(Kind::Shared, name::NODE_SHARED, "none"),
        Entry {
            name: name::NODE_PLAIN.to_owned(),
            kind: Kind::Single,
            program: node.fixture("hello.js"),
        },
    ]
}

impl Entry {
    fn start(self, workers: usize) -> Server {
        // Each of its own port, whatever this shell has set.
        let process = self.program.env_remove("PORT").start();
        let listeners = if self.kind == Kind::Single { 1 } else { workers };
        let mut heard = 0;
        let line = process.wait_line(
            |line| {
                heard += usize::from(line.starts_with("LISTENING "));
                heard == listeners
            },
            STARTED_WITHIN,
        );
        let address = line.text.strip_prefix("LISTENING ").and_then(|it| it.trim().parse().ok());
        let Some(address) = address else { process.fail("it does not say where it listens") };
        let workers = proc_fs::descendants(process.pid());
        Server { name: self.name, kind: self.kind, address, process, workers }
    }
}

impl Server {
    /// # Panics
    /// With what the server said, when one of its processes is gone.
    pub(crate) fn cpu(&self) -> Cpu {
        let of = |pid| match proc_fs::cpu_time(pid) {
            Ok(time) => time,
            Err(error) => self.process.fail(&format!("process {pid} cannot be read: {error}")),
        };
        let primary = of(self.process.pid());
        Cpu { tree: self.workers.iter().fold(primary, |sum, pid| sum + of(*pid)), primary }
    }

    /// # Panics
    /// Always: with what the server said.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.process.fail(why)
    }
}
