//! A threaded server of the standard library, made into a crew by one changed line.
//!
//! `cargo run -p portcrew --example std_threads`, then `curl http://127.0.0.1:3000/`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use portcrew::{Cluster, blocking};

fn main() -> portcrew::Result<()> {
    Cluster::builder().run_blocking(serve)
}

fn serve(worker: &blocking::Worker) -> portcrew::Result<()> {
    let name = format!("worker {} pid {}\n", worker.id(), std::process::id());
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = worker.listen(format!("127.0.0.1:{port}"))?;
    let mut threads = Vec::new();
    // Ends when the worker is told to leave.
    for stream in listener.incoming().flatten() {
        let name = name.clone();
        threads.retain(|thread: &std::thread::JoinHandle<_>| !thread.is_finished());
        threads.push(std::thread::spawn(move || answer(&stream, &name)));
    }
    for thread in threads {
        // A client that went away early is its own business.
        let _ = thread.join();
    }
    Ok(())
}

fn answer(mut stream: &TcpStream, body: &str) -> std::io::Result<()> {
    for line in BufReader::new(stream).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}
