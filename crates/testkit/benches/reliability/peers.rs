//! The same kills with others: Node's cluster, PM2, nginx, and `portcrew run` of the same Node program.
//!
//! Every so often the oldest worker is killed, whatever else goes on: one rule for all, that needs to know nothing of
//! any of them but who the children of its primary are.

use std::net::SocketAddr;
use std::time::Duration;

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::ports;
use portcrew_testkit::process::{Process, Signal, proc_fs, signal_child};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::books::Books;
use crate::crew::{Crew, command_of};
use crate::kills::{self, WORKERS};
use crate::nginx::Listen;
use crate::oldest::oldest;
use crate::place::{HANG, Place};
use crate::pm2::Pm2;
use crate::world::World;

/// From one kill to the next. With four workers each lives for longer than the second after which PM2 takes a death for
/// that of a sound program.
pub(crate) const EVERY: Duration = Duration::from_millis(400);

/// What the last death has done shows within this.
const AFTERMATH: Duration = Duration::from_secs(3);

/// The kills of one of them.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) who: String,
    /// Workers that were signalled.
    pub(crate) kills: u64,
    /// Workers that were to be. At a kill that finds no worker nobody dies.
    pub(crate) asked: u64,
    pub(crate) books: Books,
    /// Of the process that owns the workers.
    pub(crate) descriptors_before: usize,
    pub(crate) descriptors_after: usize,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    if let Some(node) = world.node() {
        rows.push(ours(world, node, counts.peer_kills)?);
        rows.push(nodes_own(world, node, counts.peer_kills)?);
    }
    if let Some(cli) = &world.pm2 {
        let pm2 = Pm2::new(cli)?;
        let address = ports::free();
        pm2.start(WORKERS, &fixture("hello.js"), address, &[]);
        rows.push(kill(world, "PM2, Node", pm2.daemon()?, address, counts.peer_kills)?);
    }
    if let Some(nginx) = &world.nginx {
        let address = ports::free();
        let master = nginx.start(WORKERS, Listen::Shared, address)?;
        rows.push(kill(world, "nginx", master.process.pid(), address, counts.peer_kills)?);
    }
    Ok(rows)
}

fn ours(world: &World, node: &Node, kills: u64) -> Result<Row, Failure> {
    let place = Place::new(&world.portcrew)?;
    let program = command_of(WORKERS, &place, &["--"]).arg(node.path()).arg(fixture("hello.js"));
    let crew = Crew::start(&place, program);
    kill(world, "portcrew, Node", crew.pid(), crew.address()?, kills)
}

fn nodes_own(world: &World, node: &Node, kills: u64) -> Result<Row, Failure> {
    let program = node.fixture("cluster_branch.js").env("WORKERS", WORKERS.to_string());
    let process: Process = program.env_remove("PORT").start();
    let mut heard = 0;
    let is_last = |line: &str| {
        heard += usize::from(line.starts_with("LISTENING "));
        heard == WORKERS
    };
    let line = process.wait_line(is_last, HANG);
    let address = line.text.strip_prefix("LISTENING ").ok_or("it listens nowhere")?.parse()?;
    kill(world, "Node's cluster", process.pid(), address, kills)
}

fn kill(
    world: &World,
    who: &str,
    primary: u32,
    address: SocketAddr,
    asked: u64,
) -> Result<Row, Failure> {
    let load = || kills::load(address);
    // What is opened once, by the first connections, is no leak.
    drop(load().requests(2_000).try_run()?);
    std::thread::sleep(AFTERMATH);
    let descriptors_before = proc_fs::fd_count(primary)?;
    let running = load().background();
    let (mut workers, mut kills) = (Vec::new(), 0);
    for _ in 0..asked {
        world.interrupt.check()?;
        std::thread::sleep(EVERY);
        if let Some(victim) = oldest(&mut workers, primary)? {
            signal_child(primary, victim, Signal::Kill)?;
            kills += 1;
        }
    }
    std::thread::sleep(AFTERMATH);
    let report = running.finish();
    std::thread::sleep(AFTERMATH);
    let descriptors_after = proc_fs::fd_count(primary)?;
    let books = Books::of_clients(&report);
    Ok(Row { who: who.to_owned(), kills, asked, books, descriptors_before, descriptors_after })
}
