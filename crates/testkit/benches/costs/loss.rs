//! Requests that a killed worker takes with it, and clients that it leaves hanging: the short form of what the benchmark
//! of reliability does.

use std::thread;
use std::time::Duration;

use portcrew_testkit::http::{Background, Load};
use portcrew_testkit::process::{Signal, signal_child};
use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::server::{Entry, Server};
use crate::oldest::oldest;
use crate::peers;
use crate::traffic::Traffic;
use crate::world::World;

/// Of each crew: most serve while one is replaced.
const WORKERS: u16 = 4;

/// Clients at once, each with a connection for each request.
const CLIENTS: usize = 32;

/// Who has no answer after this hangs.
const TRY: Duration = Duration::from_secs(2);

/// From one kill to the next. With four workers each lives for longer than the second after which PM2 takes a death for
/// that of a sound program, and an interpreter has started meanwhile unless the machine is very busy.
const EVERY: Duration = Duration::from_millis(700);

/// No load is longer.
const LONGEST: Duration = Duration::from_secs(600);

/// The kills of one server.
#[derive(Debug, Serialize)]
pub(crate) struct Loss {
    pub(crate) name: String,
    pub(crate) kills: u32,
    pub(crate) traffic: Traffic,
    /// Of the failed ones, those that had no answer within two seconds.
    pub(crate) hung: u64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Loss>, Failure> {
    let mut entries = vec![world.of_rust(name::CREW, Policy::RoundRobin, WORKERS, Hello::Hyper)];
    entries.extend(world.of_node(WORKERS)?);
    let mut losses = Vec::new();
    for entry in entries {
        losses.push(kill(world, &Entry::start(entry), counts.kills)?);
    }
    for name in [peers::name::PM2, peers::name::NGINX] {
        if let Some(server) = world.peers.start(name, usize::from(WORKERS))? {
            losses.push(kill(world, &server, counts.kills)?);
        }
    }
    Ok(losses)
}

fn kill(world: &World, server: &Server, wanted: u32) -> Result<Loss, Failure> {
    let load: Background = Load::new(server.address)
        .clients(CLIENTS)
        .per_try_timeout(TRY)
        .reset_on_close(true)
        .time_limit(LONGEST)
        .background();
    let (mut workers, mut kills) = (Vec::new(), 0);
    for _ in 0..wanted {
        world.interrupt.check()?;
        thread::sleep(EVERY);
        if let Some(victim) = oldest(&mut workers, server.primary())? {
            signal_child(server.primary(), victim, Signal::Kill)?;
            kills += 1;
        }
    }
    // Whoever hangs since the last one shows within a try.
    thread::sleep(TRY);
    let report = load.finish();
    let mut traffic = Traffic::default();
    traffic.add(&report);
    Ok(Loss { name: server.name.clone(), kills, traffic, hung: report.hung() })
}
