//! From the start of the primary to the first answer, and until all workers are ready.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use portcrew_testkit::process::Process;
use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::rounds::Row;
use crate::common::server::Entry;
use crate::common::stats::Spread;
use crate::world::{World, command};

/// Only detects a hang: 32 interpreters start at once.
const WITHIN: Duration = Duration::from_secs(60);

/// One server with so many workers.
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    pub(crate) name: String,
    pub(crate) workers: u16,
    pub(crate) first_ms: Spread,
    pub(crate) all_ms: Spread,
}

/// One server against another with as many workers, taken inside each round.
#[derive(Debug, Serialize)]
pub(crate) struct Ratio {
    pub(crate) server: String,
    pub(crate) against: String,
    pub(crate) workers: u16,
    pub(crate) first: Spread,
    pub(crate) all: Spread,
}

/// All starts.
#[derive(Debug, Serialize)]
pub(crate) struct Starts {
    pub(crate) servers: Vec<Start>,
    pub(crate) ratios: Vec<Ratio>,
}

struct Sample {
    first: Duration,
    all: Duration,
}

const PAIRS: [(&str, &str); 4] = [
    (name::CREW, name::NODE),
    (name::CREW_KERNEL, name::NODE),
    (name::CREW_OF_NODE, name::NODE),
    (command::OF_NODE, name::NODE),
];

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Starts, Failure> {
    let mut starts = Starts { servers: Vec::new(), ratios: Vec::new() };
    // The very first ones bring the programs into memory.
    rows(world, counts.starts[0].0, 1)?;
    for (workers, rounds) in counts.starts {
        let rows = rows(world, workers, rounds)?;
        for row in &rows {
            let of = |of: fn(&Sample) -> Duration| row.spread(|it| of(it).as_secs_f64() * 1e3);
            if let (Some(first_ms), Some(all_ms)) = (of(|it| it.first), of(|it| it.all)) {
                starts.servers.push(Start { name: row.name.clone(), workers, first_ms, all_ms });
            }
        }
        for (row, against) in crate::common::rounds::held_against(&rows, &PAIRS) {
            let of = |of: fn(&Sample) -> Duration| row.ratio(against, |it| of(it).as_secs_f64());
            if let (Some(first), Some(all)) = (of(|it| it.first), of(|it| it.all)) {
                let (server, against) = (row.name.clone(), against.name.clone());
                starts.ratios.push(Ratio { server, against, workers, first, all });
            }
        }
    }
    Ok(starts)
}

fn rows(world: &World, workers: u16, rounds: u32) -> Result<Vec<Row<Sample>>, Failure> {
    let mut rows: Vec<Row<Sample>> = Vec::new();
    for _ in 0..rounds {
        for entry in entries(world, workers)? {
            world.interrupt.check()?;
            let (name, hands_over) = (entry.name.clone(), entry.hands_over);
            let sample = measure(entry)?;
            match rows.iter_mut().find(|row| row.name == name) {
                Some(row) => row.slices.push(sample),
                None => rows.push(Row { name, hands_over, slices: vec![sample] }),
            }
        }
    }
    Ok(rows)
}

fn entries(world: &World, workers: u16) -> Result<Vec<Entry>, Failure> {
    let hello = Hello::Hyper;
    let mut entries = vec![
        world.of_rust(name::CREW, Policy::RoundRobin, workers, hello),
        world.of_rust(name::CREW_KERNEL, Policy::Kernel, workers, hello),
        world.prefork("prefork Rust", workers, hello),
    ];
    entries.extend(world.of_node(workers)?);
    Ok(entries)
}

fn measure(entry: Entry) -> Result<Sample, Failure> {
    let begun = Instant::now();
    let process = entry.program.env_remove("PORT").start();
    let address = listening(&process, 1)?;
    ask(address)?;
    let first = begun.elapsed();
    listening(&process, entry.listeners)?;
    Ok(Sample { first, all: begun.elapsed().max(first) })
}

/// Where they listen, once so many have said so.
fn listening(process: &Process, wanted: u16) -> Result<SocketAddr, Failure> {
    let mut heard = 0;
    let is_last = |line: &str| {
        heard += u16::from(line.contains("LISTENING "));
        heard == wanted
    };
    let line = process.wait_line(is_last, WITHIN);
    let address = line.text.split_once("LISTENING ").map(|(_, it)| it.trim().parse());
    Ok(address.ok_or("it listens nowhere")??)
}

/// One request, answered.
fn ask(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let is_well = answer.starts_with(b"HTTP/1.1 200 ");
    if is_well { Ok(()) } else { Err(io::Error::other("the first answer is no 200")) }
}
