//! A load on a gRPC server: each call on a connection of its own, until standard input ends. It says `answered N` now
//! and then, and at the end what became of every call.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::timeout;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);
/// So many answers are one line.
const LINE: u64 = 10;

#[derive(Default)]
struct Books {
    answered: u64,
    refused: u64,
    cut: u64,
    hung: u64,
    workers: BTreeSet<String>,
}

enum Fate {
    Answered(String),
    Refused,
    Cut(String),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(address), Some(clients)) = (args.next(), args.next()) else {
        return Err("usage: grpc-load HOST:PORT CLIENTS".into());
    };
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    let (books, over) = (Arc::new(Mutex::new(Books::default())), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..clients.parse()?)
        .map(|_| tokio::spawn(client(endpoint.clone(), Arc::clone(&books), Arc::clone(&over))))
        .collect();
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    over.store(true, Relaxed);
    for client in clients {
        client.await?;
    }
    let Books { answered, refused, cut, hung, workers } =
        &*books.lock().map_err(|_| "a client panicked")?;
    let workers = workers.iter().cloned().collect::<Vec<_>>().join(" ");
    println!("end answered={answered} refused={refused} cut={cut} hung={hung} workers={workers}");
    Ok(())
}

async fn client(endpoint: Endpoint, books: Arc<Mutex<Books>>, over: Arc<AtomicBool>) {
    while !over.load(Relaxed) {
        let fate = timeout(HANG, call(&endpoint)).await;
        let Ok(mut books) = books.lock() else { return };
        match fate {
            Ok(Fate::Answered(worker)) => {
                books.answered += 1;
                books.workers.insert(worker);
                if books.answered.is_multiple_of(LINE) {
                    println!("answered {LINE}");
                }
            }
            Ok(Fate::Refused) => books.refused += 1,
            Ok(Fate::Cut(why)) => {
                books.cut += 1;
                println!("cut: {why}");
            }
            Err(_) => books.hung += 1,
        }
    }
}

async fn call(endpoint: &Endpoint) -> Fate {
    let channel = match endpoint.connect().await {
        Ok(channel) => channel,
        Err(error) if is_refused(&error) => return Fate::Refused,
        Err(error) => return Fate::Cut(format!("connect: {error:?}")),
    };
    let request = HealthCheckRequest { service: String::new() };
    match HealthClient::new(channel).check(request).await {
        Ok(answer) => {
            let worker = answer.metadata().get("x-worker").and_then(|it| it.to_str().ok());
            Fate::Answered(worker.unwrap_or_default().to_owned())
        }
        // The channel may have connected once more.
        Err(status) if is_refused(&status) => Fate::Refused,
        Err(status) => Fate::Cut(format!("{status:?}")),
    }
}

fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|it| it.kind() == ErrorKind::ConnectionRefused) {
            return true;
        }
        next = error.source();
    }
    false
}
