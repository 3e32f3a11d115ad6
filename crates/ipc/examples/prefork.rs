//! The oldest form of all: parent and children accept from one inherited listening socket, blocking, in
//! `std`. Each says when it was the one that got the connection; the kernel decides.
//!
//! `cargo run -p portcrew-ipc --example prefork`, then `curl http://127.0.0.1:3000/` a few times.
#![allow(clippy::print_stdout, reason = "to print is what this example is for")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_ipc::descriptor::duplicate;
use portcrew_ipc::exec_helper::run_if_asked;
use portcrew_ipc::spawn::{SpawnSpec, Stdio, spawn};

const CHILDREN: usize = 3;

/// Where inherited sockets begin (sd_listen_fds(3)).
const FIRST: i32 = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Names the child's own pid beside the sockets, so that its children do not believe them.
    run_if_asked();
    if std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string()) {
        return accept(&TcpListener::from(duplicate(FIRST)?), "child");
    }
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?;
    let itself = std::env::current_exe()?;
    let mut spec = SpawnSpec::new(&itself).channel(false).helper(&itself);
    spec = spec.stdio(Stdio::Null, Stdio::Inherit, Stdio::Inherit).own_process_group(false);
    spec.listeners = vec![Arc::new(OwnedFd::from(listener.try_clone()?))];
    let children = (0..CHILDREN).map(|_| spawn(&spec)).collect::<Result<Vec<_>, _>>()?;
    println!("parent {} and {} children listen on port {port}", std::process::id(), children.len());
    accept(&listener, "parent")
}

fn accept(listener: &TcpListener, name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pid = std::process::id();
    loop {
        let (mut stream, peer) = listener.accept()?;
        println!("{name} {pid} got the connection from {peer}");
        let body = format!("{name} pid {pid}\n");
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
        let answer = format!("{head}Connection: close\r\n\r\n{body}");
        let mut request = [0; 4096];
        let answered = stream.read(&mut request).and_then(|_| stream.write_all(answer.as_bytes()));
        if let Err(error) = answered {
            println!("{name} {pid} could not answer {peer}: {error}");
        }
    }
}
