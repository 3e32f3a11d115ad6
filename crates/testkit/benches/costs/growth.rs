//! What a connection costs with more and more workers.

use std::time::Duration;

use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::closed::{self, Load};
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::rounds;
use crate::common::server::{Entry, Server};
use crate::common::stats::Spread;
use crate::world::World;

/// The first is what the others are held against.
const SIZES: [u16; 4] = [2, 8, 32, 128];

const CLIENTS: usize = 64;

const WARM_UP: Duration = Duration::from_millis(300);

const SLICE: Duration = Duration::from_millis(300);

/// One server with so many workers.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) name: String,
    pub(crate) workers: u16,
    pub(crate) rate: Spread,
    /// CPU of the whole tree for each connection, microseconds.
    pub(crate) cpu_us: Spread,
    /// Against the same server with the fewest workers, inside a round.
    pub(crate) cpu_ratio: Spread,
}

#[derive(Debug)]
struct Sample {
    rate: f64,
    cpu_us: f64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Size>, Failure> {
    const HELLO: Hello = Hello::Minimal;
    let servers: [fn(&World, u16) -> Entry; 3] = [
        |world, workers| world.of_rust(name::CREW, Policy::RoundRobin, workers, HELLO),
        |world, workers| world.of_rust(name::CREW_KERNEL, Policy::Kernel, workers, HELLO),
        |world, workers| world.prefork("prefork Rust", workers, HELLO),
    ];
    let mut sizes = Vec::new();
    for server in servers {
        let all: Vec<_> = SIZES.iter().map(|workers| server(world, *workers).start()).collect();
        for server in &all {
            slice(server, WARM_UP)?;
        }
        let rows = rounds::run(&all, counts.growth, &world.interrupt, |it, _| slice(it, SLICE))?;
        for (row, workers) in rows.iter().zip(SIZES) {
            let (rate, cpu_us) = (row.spread(|it| it.rate), row.spread(|it| it.cpu_us));
            let cpu_ratio = row.ratio(&rows[0], |it| it.cpu_us);
            if let (Some(rate), Some(cpu_us), Some(cpu_ratio)) = (rate, cpu_us, cpu_ratio) {
                let name = row.name.clone();
                sizes.push(Size { name, workers, rate, cpu_us, cpu_ratio });
            }
        }
    }
    Ok(sizes)
}

#[allow(clippy::cast_precision_loss)]
fn slice(server: &Server, time: Duration) -> Result<Sample, Failure> {
    let before = server.cpu().tree;
    let slice = closed::run(server.address, Load::Short, CLIENTS, time)?;
    let used = server.cpu().tree.saturating_sub(before);
    if slice.answered == 0 {
        server.fail("it has answered nothing in a whole slice");
    }
    let answered = slice.answered as f64;
    Ok(Sample {
        rate: answered / slice.elapsed.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / answered,
    })
}
