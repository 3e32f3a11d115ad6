//! The servers that this program can be: one hello in hyper, alone or in a portcrew crew.

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use portcrew::{Cluster, Role, Settings, Worker, Workers};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};

use super::{Failure, floor, hold, minimal, prefork, threads, work};

pub(super) const ADDRESS: &str = "127.0.0.1:0";

/// What a benchmark's own program can be other than the benchmark.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Be one of the servers.
    #[command(hide = true)]
    Serve {
        #[command(subcommand)]
        fixture: Fixture,
    },
}

/// The servers that this program itself can be.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Fixture {
    /// One process.
    Single { hello: Hello },
    /// Processes that know nothing of each other, each with a SO_REUSEPORT socket of its own on one port.
    Prefork { workers: u16, hello: Hello },
    /// One of those.
    PreforkWorker { address: SocketAddr, hello: Hello },
    /// One process of the standard library alone, with a thread for each connection.
    Threads,
    /// Processes with a bare epoll each, and one that hands over if that is how they accept.
    Floor { accept: Accept, workers: u16 },
    /// One of those. The socket of all, or its end of the lane, is its standard input.
    FloorWorker { accept: Accept, address: SocketAddr },
    /// No server: a client that holds so many connections, each of which was answered once.
    Hold { address: SocketAddr, connections: u32 },
    /// A portcrew crew of this program.
    Crew { policy: Policy, workers: u16, hello: Hello },
    /// A portcrew crew of any other program.
    Program { policy: Policy, workers: u16, exec: PathBuf, args: Vec<OsString> },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Policy {
    RoundRobin,
    Shared,
    Kernel,
}

impl Policy {
    /// The word that [`Fixture`] is told.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::Shared => "shared",
            Self::Kernel => "kernel",
        }
    }
}

/// How the processes of the floor come to their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Accept {
    /// All accept from one socket.
    Shared,
    /// Each from one of its own.
    Own,
    /// One more process accepts, and hands over.
    Handed,
}

impl Accept {
    /// The word that [`Fixture`] is told.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Own => "own",
            Self::Handed => "handed",
        }
    }
}

/// How a Rust server answers.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hello {
    /// With hyper, as real servers do.
    Hyper,
    /// By hand: what is left when HTTP costs next to nothing.
    Minimal,
    /// By hand, once, with the moment at which it closes.
    Closing,
}

impl Hello {
    /// The word that [`Fixture`] is told.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hyper => "hyper",
            Self::Minimal => "minimal",
            Self::Closing => "closing",
        }
    }

    /// How it is said of a server that it answers so.
    pub(crate) const fn said(self) -> &'static str {
        match self {
            Self::Hyper => "with hyper",
            Self::Minimal => "by hand",
            Self::Closing => "by hand, once",
        }
    }
}

pub(crate) fn serve(fixture: &Fixture) -> Result<(), Failure> {
    match fixture {
        Fixture::Single { hello } => single(*hello),
        Fixture::Prefork { workers, hello } => prefork::run(*workers, *hello),
        Fixture::PreforkWorker { address, hello } => {
            prefork::serve(*address, |listener| accept_all(listener, 1, *hello))
        }
        Fixture::Threads => threads::run(),
        Fixture::Floor { accept, workers } => floor::run(*workers, *accept),
        Fixture::FloorWorker { accept, address } => floor::serve(*accept, *address),
        Fixture::Hold { address, connections } => hold::run(*address, *connections),
        Fixture::Crew { policy, workers, hello } => {
            let hello = *hello;
            let workers = Workers::Exactly(usize::from(*workers));
            let crew = Cluster::builder().workers(workers).policy((*policy).into());
            Ok(crew.run(async |worker: Worker| serve_worker(worker, hello).await)?)
        }
        Fixture::Program { policy, workers, exec, args } => {
            let mut settings = Settings::program(exec, args);
            settings.policy = (*policy).into();
            program(settings, usize::from(*workers))
        }
    }
}

/// The same server without a crew: what one process does alone.
fn single(hello: Hello) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let listener = TcpListener::bind(ADDRESS).await?;
        announce(listener.local_addr()?)?;
        accept_all(listener, 0, hello).await
    })
}

async fn accept_all(listener: TcpListener, worker: u32, hello: Hello) -> Result<(), Failure> {
    let name = format!("hello from worker {worker} pid {}\n", std::process::id());
    loop {
        let (stream, _peer) = listener.accept().await?;
        tokio::spawn(answer(stream, name.clone(), hello));
    }
}

async fn serve_worker(worker: Worker, hello: Hello) -> Result<(), Failure> {
    let listener = worker.listen(ADDRESS).await?;
    announce(listener.local_addr()?)?;
    let name = format!("hello from worker {} pid {}\n", worker.id(), std::process::id());
    // Ends when the worker is told to leave.
    while let Ok((stream, _peer)) = listener.accept().await {
        tokio::spawn(answer(stream, name.clone(), hello));
    }
    Ok(())
}

async fn answer(stream: TcpStream, name: String, hello: Hello) {
    // A client that goes away early is its own business.
    match hello {
        Hello::Hyper => drop(by_hyper(stream, name).await),
        Hello::Minimal => drop(minimal::answer(stream, &name).await),
        Hello::Closing => drop(minimal::answer_and_close(stream).await),
    }
}

async fn by_hyper(stream: TcpStream, name: String) -> hyper::Result<()> {
    let hello = service_fn(move |request: Request<Incoming>| {
        work::perform(request.uri().path());
        let body = Full::new(Bytes::from(name.clone()));
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), hello).await
}

/// Runs a crew of another program. It ends with its process group: the benchmark kills it.
fn program(settings: Settings, workers: usize) -> Result<(), Failure> {
    let Role::Primary(primary) = portcrew::role()? else {
        return Err("the benchmark's crew of another program was started as a worker".into());
    };
    runtime()?.block_on(async {
        let mut cluster = primary.cluster(settings)?;
        cluster.start(workers)?;
        while cluster.next_event().await.is_some() {}
        Ok(())
    })
}

/// In the words of the Node fixtures.
pub(super) fn announce(address: SocketAddr) -> Result<(), Failure> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "LISTENING {address}")?)
}

pub(super) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl From<Policy> for portcrew::Policy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::RoundRobin => Self::RoundRobin,
            Policy::Shared => Self::Shared,
            Policy::Kernel => Self::Kernel,
        }
    }
}
