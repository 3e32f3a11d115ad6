//! A primary for programs that know nothing of it, in any language: each is started with the listening socket.
//!
//! `cargo run -p portcrew --example any_program -- python3 server.py`, where `server.py` is the server of
//! `docs/any-language.md`; then `curl http://127.0.0.1:3000/`.
#![allow(clippy::print_stdout, reason = "to print is what this example is for")]

use std::error::Error;

use portcrew::{Cluster, Error as CrewError, Event, Outcome, Settings};

fn main() -> Result<(), Box<dyn Error>> {
    // First: this executable is started once more before each program, as the helper that gives it its sockets.
    drop(portcrew::role()?);
    let mut words = std::env::args_os().skip(1);
    let program = words.next().ok_or("name a program, as in: any_program python3 server.py")?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let address = format!("127.0.0.1:{port}");
    // `{fd}` in one of its arguments would become the socket's number, which is in PORTCREW_FD_0 too.
    let settings = Settings::program(program, words).listen(&address)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(lead(settings))?)
}

async fn lead(settings: Settings) -> portcrew::Result<()> {
    // Bound from here on.
    let mut cluster = Cluster::new(settings)?;
    cluster.start(2)?;
    loop {
        tokio::select! {
            event = cluster.next_event() => match event {
                Some(Event::Opened { address, .. }) => println!("listening on {address}"),
                Some(Event::Fork { worker, process }) => {
                    println!("worker {worker} is process {}", process.pid());
                }
                Some(Event::Exit { worker, status, .. }) => println!("worker {worker}: {status}"),
                Some(Event::Finished(Outcome::Stopped)) | None => return Ok(()),
                Some(Event::Finished(outcome)) => return Err(CrewError::Crew(outcome)),
                Some(_) => {}
            },
            _ = tokio::signal::ctrl_c() => cluster.stop()?,
        }
    }
}
