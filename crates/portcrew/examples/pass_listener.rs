//! The primary listens, sends the listening socket itself to four workers, and closes its own copy.
//!
//! `cargo run -p portcrew --example pass_listener`, then `curl http://127.0.0.1:3000/`. From here on the
//! kernel deals out the connections: the primary is not asked, not even for the port.
#![allow(clippy::print_stdout, reason = "to print is what this example is for")]

use std::net::TcpListener;

use portcrew::{Event, Handle, Primary, Received, Role, Settings, Worker};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const WORKERS: usize = 4;

fn main() -> portcrew::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match portcrew::role()? {
        Role::Primary(primary) => runtime.block_on(pass(primary)),
        Role::Worker(worker) => runtime.block_on(serve(worker)),
    }
}

async fn pass(primary: Primary) -> portcrew::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let mut cluster = primary.cluster(Settings::default())?;
    for _ in 0..WORKERS {
        let worker = cluster.fork().await?;
        worker.send_with("serve this", listener.try_clone()?)?;
    }
    drop(listener);
    let mut serving = 0;
    while let Some(event) = cluster.next_event().await {
        match event {
            Event::Message { worker, message, .. } => {
                println!("worker {worker}: {}", message.json::<String>()?);
                serving += 1;
                if serving == WORKERS {
                    println!("the primary's own copy is closed");
                }
            }
            Event::Exit { worker, status, .. } => {
                println!("worker {worker} ended: {status}");
                if cluster.workers().is_empty() {
                    return Ok(());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

async fn serve(worker: Worker) -> portcrew::Result<()> {
    let listener = loop {
        match worker.recv().await {
            Some(Received::Message { handle: Some(Handle::TcpListener(listener)), .. }) => {
                break worker.listen_handle(listener)?;
            }
            Some(_) => {}
            None => return Ok(()),
        }
    };
    worker.send("I serve")?;
    let name = format!("worker {} pid {}\n", worker.id(), std::process::id());
    while let Ok((mut stream, _)) = listener.accept().await {
        let name = name.clone();
        tokio::spawn(async move {
            let mut request = [0; 4096];
            if stream.read(&mut request).await? == 0 {
                return Ok(());
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", name.len());
            stream.write_all(format!("{head}Connection: close\r\n\r\n{name}").as_bytes()).await
        });
    }
    Ok(())
}
