//! A server as the standard library alone makes it: one process, a thread for each connection.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::fixture::{ADDRESS, announce};
use super::{Failure, minimal};

/// Serves until it is killed.
pub(crate) fn run() -> Result<(), Failure> {
    let listener = TcpListener::bind(ADDRESS)?;
    announce(listener.local_addr()?)?;
    let body = format!("hello from worker 0 pid {}\n", std::process::id());
    loop {
        let (stream, _peer) = listener.accept()?;
        let body = body.clone();
        // A client that goes away early is its own business.
        thread::spawn(move || drop(answer(stream, &body)));
    }
}

fn answer(mut stream: TcpStream, body: &str) -> io::Result<()> {
    let mut room = [0; minimal::REQUEST_BYTES];
    let mut got = 0;
    loop {
        match stream.read(&mut room[got..])? {
            0 => return Ok(()),
            count => got += count,
        }
        let Some(request) = minimal::whole(&room[..got]) else { continue };
        stream.write_all(minimal::response(body, request.close).as_bytes())?;
        if request.close {
            return Ok(());
        }
        got = 0;
    }
}
