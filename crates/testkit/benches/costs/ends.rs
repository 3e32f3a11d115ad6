//! From the worker's close to the end that its client sees. A socket ends when its last holder has closed it, and a
//! primary that hands over holds a copy until the worker has answered for it.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::args::Counts;
use crate::common::Failure;
use crate::common::crews::name;
use crate::common::fixture::{Hello, Policy};
use crate::common::rounds;
use crate::common::server::Server;
use crate::common::stats::{self, Spread};
use crate::common::work::moment;
use crate::world::World;

const WORKERS: u16 = 2;

/// Clients at once.
const CLIENTS: [usize; 2] = [1, 16];

/// Connections of each slice.
const CONNECTIONS: usize = 400;

/// Only detects a hang.
const WITHIN: Duration = Duration::from_secs(10);

/// One policy with so many clients.
#[derive(Debug, Serialize)]
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) clients: usize,
    pub(crate) p50_us: Spread,
    pub(crate) p99_us: Spread,
}

struct Sample {
    p50_us: f64,
    p99_us: f64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<End>, Failure> {
    let start = |name, policy| world.of_rust(name, policy, WORKERS, Hello::Closing).start();
    let servers = [
        start(name::CREW, Policy::RoundRobin),
        start(name::CREW_SHARED, Policy::Shared),
        start(name::CREW_KERNEL, Policy::Kernel),
    ];
    let mut ends = Vec::new();
    for clients in CLIENTS {
        for server in &servers {
            slice(server, clients)?;
        }
        let slice = |server: &Server, _| slice(server, clients);
        for row in rounds::run(&servers, counts.ends, &world.interrupt, slice)? {
            let (p50, p99) = (row.spread(|it| it.p50_us), row.spread(|it| it.p99_us));
            if let (Some(p50_us), Some(p99_us)) = (p50, p99) {
                ends.push(End { name: row.name, clients, p50_us, p99_us });
            }
        }
    }
    Ok(ends)
}

fn slice(server: &Server, clients: usize) -> Result<Sample, Failure> {
    let address = server.address;
    let threads: Vec<_> = (0..clients)
        .map(|_| thread::spawn(move || delays(address, CONNECTIONS / clients)))
        .collect();
    let mut all = Vec::new();
    for thread in threads {
        all.extend(thread.join().map_err(|_| "a client has panicked")??);
    }
    let [p50_us, p99_us] = stats::milliseconds(&all, [0.5, 0.99]).map(|it| it * 1e3);
    Ok(Sample { p50_us, p99_us })
}

fn delays(address: SocketAddr, connections: usize) -> io::Result<Vec<Duration>> {
    (0..connections).map(|_| delay(address)).collect()
}

/// The body of the answer is the moment at which the worker closes.
fn delay(address: SocketAddr) -> io::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let ended = moment();
    let closed: Option<u128> = answer.lines().last().and_then(|it| it.parse().ok());
    let closed = closed.ok_or_else(|| io::Error::other("the answer has no moment"))?;
    let nanoseconds = u64::try_from(ended.saturating_sub(closed)).unwrap_or(u64::MAX);
    Ok(Duration::from_nanos(nanoseconds))
}
