//! A worker that keeps each connection until its client closes it, and tells its primary of the ends.
//!
//! `ADDRESS`: the path that it listens on. Every client reads `worker N` first. `HOW`:
//!
//! ```text
//! tasks      tells by the guard of each connection's task; also when it is not set
//! threads    the same with a thread for each
//! late       keeps the guards of connections that are closed, and says {"closed":true} of each, until a message comes
//! plain      tells nothing
//! ```

#![forbid(unsafe_code)]

use std::io::{Read as _, Write as _};
use std::os::unix::net;
use std::sync::{Arc, Mutex, PoisonError};

use portcrew::{Cluster, Error, Open, Result, Worker, blocking};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

fn main() -> Result<()> {
    let how = std::env::var("HOW").unwrap_or_default();
    match how.as_str() {
        "threads" => Cluster::builder().run_blocking(by_threads),
        "late" => Cluster::builder().run(late),
        "plain" => Cluster::builder().run(plainly),
        _ => Cluster::builder().run(by_tasks),
    }
}

fn path() -> String {
    std::env::var("ADDRESS").unwrap_or_default()
}

async fn by_tasks(worker: Worker) -> Result<()> {
    let listener = worker.listen_unix(path()).await?;
    while let Ok((stream, _, open)) = listener.accept_told().await {
        let serving = serve(stream, worker.id().0);
        tokio::spawn(async move {
            let _open = open;
            serving.await;
        });
    }
    Ok::<_, Error>(())
}

fn by_threads(worker: &blocking::Worker) -> Result<()> {
    let listener = worker.listen_unix(path())?;
    while let Ok((mut stream, open)) = listener.accept_told() {
        let greeting = greeting(worker.id().0);
        std::thread::spawn(move || {
            let _open = open;
            // A client that goes away is what is waited for.
            let _ = stream.write_all(greeting.as_bytes()).and_then(|()| until_closed(&stream));
        });
    }
    Ok(())
}

async fn late(worker: Worker) -> Result<()> {
    let listener = worker.listen_unix(path()).await?;
    let kept = Arc::new(Mutex::new(Vec::<Open>::new()));
    let (letting_go, orders) = (Arc::clone(&kept), worker.clone());
    tokio::spawn(async move {
        while orders.recv().await.is_some() {
            letting_go.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    });
    while let Ok((stream, _, open)) = listener.accept_told().await {
        let (kept, worker) = (Arc::clone(&kept), worker.clone());
        tokio::spawn(async move {
            serve(stream, worker.id().0).await;
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(open);
            // Without a primary there is nobody to tell.
            let _ = worker.send(&json!({ "closed": true }));
        });
    }
    Ok(())
}

async fn plainly(worker: Worker) -> Result<()> {
    let listener = worker.listen_unix(path()).await?;
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, worker.id().0));
    }
    Ok(())
}

/// Greets, and lasts as long as the client.
async fn serve(mut stream: UnixStream, worker: u32) {
    let greeted = stream.write_all(greeting(worker).as_bytes()).await;
    while greeted.is_ok() && !matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_)) {}
}

fn until_closed(mut stream: &net::UnixStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}

fn greeting(worker: u32) -> String {
    format!("worker {worker}\n")
}
