//! Many connections that do nothing: what new ones beside them cost, and who holds them.

use std::io;
use std::thread;
use std::time::Duration;

use portcrew_testkit::process::{Process, proc_fs};
use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::closed::{self, Load};
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::rounds::{self, Row};
use crate::common::server::Server;
use crate::common::stats::Spread;
use crate::world::World;

const WORKERS: u16 = 2;

const CLIENTS: usize = 64;

const WARM_UP: Duration = Duration::from_millis(400);

const SLICE: Duration = Duration::from_millis(300);

/// Only detects a hang.
const HELD_WITHIN: Duration = Duration::from_secs(60);

/// Descriptors of a process that are no idle connections.
const OTHERS: u64 = 500;

/// Looks at a primary's sockets, and the time from one to the next.
const LOOKS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(20);

/// All servers, each with so many idle connections.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) connections: u32,
    pub(crate) servers: Vec<Held>,
    /// New connections per second beside the idle ones, first over second, inside a round.
    pub(crate) ratios: Vec<Ratio>,
}

/// One server.
#[derive(Debug, Serialize)]
pub(crate) struct Held {
    pub(crate) name: String,
    /// New connections per second without and with them.
    pub(crate) rate_without: Spread,
    pub(crate) rate_with: Spread,
    /// Sockets of the primary without and with them.
    pub(crate) sockets_without: usize,
    pub(crate) sockets_with: usize,
    /// What each idle connection weighs in the tree, bytes.
    pub(crate) bytes_each: i64,
}

/// One server against another.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) server: String,
    pub(crate) against: String,
    pub(crate) rate: Spread,
}

const PAIRS: [(&str, &str); 3] = [
    (name::CREW, name::CREW_SHARED),
    (name::CREW_KERNEL, name::CREW_SHARED),
    (name::CREW, name::NODE),
];

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Idle, Failure> {
    let room = world.descriptors.saturating_sub(OTHERS);
    let connections = u32::try_from(room).map_or(counts.idle, |room| counts.idle.min(room));
    let servers = servers(world)?;
    for server in &servers {
        rate(server, WARM_UP)?;
    }
    let slice = |server: &Server, _| rate(server, SLICE);
    let without = rounds::run(&servers, counts.idle_rounds, &world.interrupt, slice)?;
    let before = servers.iter().map(State::of).collect::<io::Result<Vec<_>>>()?;
    let hold = |it: &Server| hold(world, it, connections);
    let held: Vec<Process> = servers.iter().map(hold).collect();
    let after = servers.iter().map(State::of).collect::<io::Result<Vec<_>>>()?;
    let with = rounds::run(&servers, counts.idle_rounds, &world.interrupt, slice)?;
    drop(held);
    let states = before.into_iter().zip(after);
    let rows = without.iter().zip(&with).zip(states);
    let ratios = rounds::held_against(&with, &PAIRS).into_iter().filter_map(ratio);
    Ok(Idle {
        connections,
        ratios: ratios.collect(),
        servers: rows.filter_map(|(rows, states)| row(rows, states, connections)).collect(),
    })
}

fn servers(world: &World) -> Result<Vec<Server>, Failure> {
    let rust = |name, policy| world.of_rust(name, policy, WORKERS, Hello::Hyper).start();
    let mut servers = vec![
        rust(name::CREW, Policy::RoundRobin),
        rust(name::CREW_SHARED, Policy::Shared),
        rust(name::CREW_KERNEL, Policy::Kernel),
    ];
    let nodes = world.of_node(WORKERS)?.into_iter().filter(|it| it.name == name::NODE);
    servers.extend(nodes.map(crate::common::server::Entry::start));
    Ok(servers)
}

/// A client that holds so many.
fn hold(world: &World, server: &Server, connections: u32) -> Process {
    let words = ["hold", &server.address.to_string(), &connections.to_string()];
    let process = world.own("idle client").args(words).stdin_pipe().start();
    process.wait_line(|line| line.starts_with("HELD "), HELD_WITHIN);
    process
}

#[allow(clippy::cast_precision_loss)]
fn rate(server: &Server, time: Duration) -> Result<f64, Failure> {
    let slice = closed::run(server.address, Load::Short, CLIENTS, time)?;
    if slice.answered == 0 {
        server.fail("it has answered nothing in a whole slice");
    }
    Ok(slice.answered as f64 / slice.elapsed.as_secs_f64())
}

/// What a server has at one moment.
struct State {
    sockets: usize,
    bytes: u64,
}

impl State {
    fn of(server: &Server) -> io::Result<Self> {
        let sockets = sockets(server)?;
        let mut bytes = proc_fs::memory(server.primary())?.pss;
        for worker in server.workers() {
            bytes += proc_fs::memory(*worker)?.pss;
        }
        Ok(Self { sockets, bytes })
    }
}

/// Those of the primary. Right behind a load it may still hold copies of what a worker owes it an answer for: the least of
/// some looks is what it holds at rest.
fn sockets(server: &Server) -> io::Result<usize> {
    let mut least = usize::MAX;
    for _ in 0..LOOKS {
        let fds = proc_fs::fds(server.primary())?;
        least = least.min(fds.iter().filter(|(_, what)| what.starts_with("socket:")).count());
        thread::sleep(BETWEEN);
    }
    Ok(least)
}

fn row(
    (without, with): (&Row<f64>, &Row<f64>),
    (before, after): (State, State),
    connections: u32,
) -> Option<Held> {
    let grown = i64::try_from(after.bytes).ok()? - i64::try_from(before.bytes).ok()?;
    Some(Held {
        name: without.name.clone(),
        rate_without: without.spread(|it| *it)?,
        rate_with: with.spread(|it| *it)?,
        sockets_without: before.sockets,
        sockets_with: after.sockets,
        bytes_each: grown / i64::from(connections.max(1)),
    })
}

fn ratio((row, against): (&Row<f64>, &Row<f64>)) -> Option<Ratio> {
    let rate = row.ratio(against, |it| *it)?;
    Some(Ratio { server: row.name.clone(), against: against.name.clone(), rate })
}
