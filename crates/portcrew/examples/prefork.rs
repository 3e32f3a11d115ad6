//! The oldest form of all: parent and children accept from one listening socket, blocking, in `std`.
//!
//! `cargo run --example prefork`, then `curl http://127.0.0.1:3000/` a few times: each process says when it
//! was the one that got the connection. The kernel decides.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use portcrew::{Listen, Policy, Primary, Role, Settings, Worker, blocking};

const CHILDREN: usize = 3;

fn main() -> portcrew::Result<()> {
    match portcrew::role()? {
        Role::Primary(primary) => parent(&primary),
        Role::Worker(worker) => child(worker),
    }
}

fn parent(primary: &Primary) -> portcrew::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let mut settings = Settings::default().env("LISTENER", listener.as_raw_fd().to_string());
    settings.policy = Policy::Shared;
    // The parent accepts on this thread, so the crew is looked after on another.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let cluster = {
        let _inside = runtime.enter();
        primary.cluster(settings)?
    };
    cluster.start(CHILDREN)?;
    accept(&listener, "parent")
}

fn child(worker: Worker) -> portcrew::Result<()> {
    let name = format!("child {}", worker.id());
    let worker = blocking::Worker::new(worker)?;
    let number = std::env::var("LISTENER").ok().and_then(|it| it.parse().ok()).unwrap_or(-1);
    let listener = worker.listen(Listen::fd(number))?.into_std()?;
    accept(&listener, &name)
}

fn accept(listener: &TcpListener, name: &str) -> portcrew::Result<()> {
    let pid = std::process::id();
    loop {
        let (mut stream, peer) = listener.accept()?;
        println!("{name} (pid {pid}) got the connection from {peer}");
        let mut request = [0; 4096];
        let body = format!("{name} pid {pid}\n");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
        let answered = stream
            .read(&mut request)
            .and_then(|_| stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()));
        if let Err(error) = answered {
            println!("{name} could not answer {peer}: {error}");
        }
    }
}
