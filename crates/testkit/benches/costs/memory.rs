//! What a primary and its tree weigh: before any connection, after many, and after very many.

use std::io;
use std::time::Duration;

use portcrew_testkit::process::proc_fs::{self, Memory};
use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::closed::{self, Load};
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::server::{Entry, Server};
use crate::peers;
use crate::world::World;

/// Workers of each.
const WORKERS: u16 = 2;

/// Clients of the load.
const CLIENTS: usize = 64;

/// Between two looks at how many there were.
const SLICE: Duration = Duration::from_millis(250);

/// In bytes: a primary, and the whole tree.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Weight {
    pub(crate) primary_rss: u64,
    pub(crate) primary_pss: u64,
    pub(crate) primary_anonymous: u64,
    /// Of all processes together: what it takes from the machine.
    pub(crate) tree_pss: u64,
}

/// One server, alone on the machine: pages that it shares with another server would count half.
#[derive(Debug, Serialize)]
pub(crate) struct Weights {
    pub(crate) name: String,
    pub(crate) idle: Weight,
    pub(crate) loaded: Weight,
}

/// All of them, and one that was loaded for long.
#[derive(Debug, Serialize)]
pub(crate) struct All {
    pub(crate) connections: u64,
    pub(crate) servers: Vec<Weights>,
    pub(crate) long: Long,
}

/// A primary of the library, before and after very many connections.
#[derive(Debug, Serialize)]
pub(crate) struct Long {
    pub(crate) connections: u64,
    pub(crate) before: Weight,
    pub(crate) after: Weight,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<All, Failure> {
    let mut servers = Vec::new();
    let mut entries = vec![
        rust(world, name::CREW, Policy::RoundRobin),
        rust(world, name::CREW_KERNEL, Policy::Kernel),
        world.prefork("prefork Rust", WORKERS, Hello::Hyper),
    ];
    entries.extend(world.of_node(WORKERS)?);
    servers.push(weigh(&world.example()?, counts.connections)?);
    for entry in entries {
        world.interrupt.check()?;
        servers.push(weigh(&entry.start(), counts.connections)?);
    }
    for name in [peers::name::PM2, peers::name::NGINX] {
        world.interrupt.check()?;
        if let Some(server) = world.peers.start(name, usize::from(WORKERS))? {
            servers.push(weigh(&server, counts.connections)?);
        }
    }
    let long = long(world, counts)?;
    Ok(All { connections: counts.connections, servers, long })
}

fn rust(world: &World, name: &str, policy: Policy) -> Entry {
    world.of_rust(name, policy, WORKERS, Hello::Hyper)
}

fn weigh(server: &Server, connections: u64) -> Result<Weights, Failure> {
    let idle = weight(server)?;
    load(server, connections)?;
    Ok(Weights { name: server.name.clone(), idle, loaded: weight(server)? })
}

fn long(world: &World, counts: &Counts) -> Result<Long, Failure> {
    let server = rust(world, name::CREW, Policy::RoundRobin).start();
    // What is allocated once is there then.
    load(&server, counts.long / 10)?;
    let before = weight(&server)?;
    let mut connections = 0;
    while connections < counts.long {
        world.interrupt.check()?;
        connections += load(&server, 1)?;
    }
    Ok(Long { connections, before, after: weight(&server)? })
}

/// At least so many connections; how many there were.
fn load(server: &Server, connections: u64) -> Result<u64, Failure> {
    let mut answered = 0;
    while answered < connections {
        let slice = closed::run(server.address, Load::Short, CLIENTS, SLICE)?;
        if slice.answered == 0 {
            server.fail("it has answered nothing in a whole slice");
        }
        answered += slice.answered;
    }
    Ok(answered)
}

fn weight(server: &Server) -> io::Result<Weight> {
    let Memory { rss, pss, anonymous } = proc_fs::memory(server.primary())?;
    let mut tree_pss = pss;
    for worker in server.workers() {
        tree_pss += proc_fs::memory(*worker)?.pss;
    }
    Ok(Weight { primary_rss: rss, primary_pss: pss, primary_anonymous: anonymous, tree_pss })
}
