//! Node's classic example: workers serve `hello world` and tell the primary of each request.
//!
//! `cargo run -p portcrew --example count_requests`, then `curl http://127.0.0.1:8000/`. The primary prints
//! `numReqs = …` each second. `PORT` and `WORKERS` change the defaults of 8000 and one per processor.
#![allow(clippy::print_stdout, reason = "to print is what this example is for")]

use std::time::Duration;

use portcrew::{Event, Primary, Role, Settings, Worker, Workers};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Serialize, Deserialize)]
struct Notice {
    cmd: String,
}

fn main() -> portcrew::Result<()> {
    match portcrew::role()? {
        Role::Primary(primary) => runtime().block_on(count(primary)),
        Role::Worker(worker) => runtime().block_on(serve(worker)),
    }
}

async fn count(primary: Primary) -> portcrew::Result<()> {
    let mut cluster = primary.cluster(Settings::default())?;
    for _ in 0..workers().count() {
        cluster.fork().await?;
    }
    let mut requests = 0u64;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            event = cluster.next_event() => match event {
                Some(Event::Message { message, .. }) => {
                    let notice = message.json::<Notice>()?;
                    requests += u64::from(notice.cmd == "notifyRequest");
                }
                Some(Event::Exit { planned: false, .. }) => drop(cluster.fork().await?),
                Some(_) => {}
                None => return Ok(()),
            },
            _ = second.tick() => println!("numReqs = {requests}"),
        }
    }
}

async fn serve(worker: Worker) -> portcrew::Result<()> {
    let listener = worker.listen(format!("127.0.0.1:{}", port())).await?;
    while let Ok((stream, _)) = listener.accept().await {
        let worker = worker.clone();
        tokio::spawn(async move {
            // A client that goes away early is its own business.
            let _ = answer(stream).await;
            worker.send(&Notice { cmd: "notifyRequest".into() })
        });
    }
    Ok(())
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|it| it == b"\r\n\r\n") && request.len() < 8192 {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello world\n";
    stream.write_all(answer).await?;
    stream.shutdown().await
}

fn workers() -> Workers {
    let asked = std::env::var("WORKERS").ok().and_then(|it| it.parse().ok());
    asked.map_or(Workers::PerCpu, Workers::Exactly)
}

fn port() -> u16 {
    std::env::var("PORT").ok().and_then(|it| it.parse().ok()).unwrap_or(8000)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts")
}
