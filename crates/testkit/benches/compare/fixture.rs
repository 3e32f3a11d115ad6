//! The servers that this program can be: one hello in hyper, alone or in a portcrew crew.

use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use portcrew::{Cluster, Role, Settings, Worker, Workers};
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;
use crate::args::{Fixture, Hello, Policy};
use crate::minimal;

const ADDRESS: &str = "127.0.0.1:0";

pub(crate) fn serve(fixture: &Fixture) -> Result<(), Failure> {
    match fixture {
        Fixture::Single { hello } => single(*hello),
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
        let name = format!("hello from worker 0 pid {}\n", std::process::id());
        loop {
            let (stream, _peer) = listener.accept().await?;
            tokio::spawn(answer(stream, name.clone(), hello));
        }
    })
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
    }
}

async fn by_hyper(stream: TcpStream, name: String) -> hyper::Result<()> {
    let hello = service_fn(move |_: Request<Incoming>| {
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
fn announce(address: std::net::SocketAddr) -> Result<(), Failure> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "LISTENING {address}")?)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

impl From<Policy> for portcrew::Policy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::RoundRobin => Self::RoundRobin,
            Policy::Shared => Self::Shared,
        }
    }
}
