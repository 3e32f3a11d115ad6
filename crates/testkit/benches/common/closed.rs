//! A closed loop: one thread, one epoll, clients each of which asks again when it was answered.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::event::epoll::{self, CreateFlags, Event};
use serde::Serialize;

use super::exchange::{self, Exchange, Progress};

/// Without any event for so long the slice is given up and every open attempt counts as failed.
const SILENCE: Duration = Duration::from_secs(3);

/// Failures that are seen before a slice is given up: the figures would be about something else.
const FAILURES: u64 = 1000;

/// How the clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// A connection for each request: `Connection: close`.
    Short,
    /// One connection for each client.
    KeepAlive,
}

/// What one slice brought.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) elapsed: Duration,
    /// Of each answer, from the connect or, on a kept connection, from the request.
    pub(crate) latency: Vec<Duration>,
}

/// Loads `target` for `time`, then lets every open attempt end.
pub(crate) fn run(
    target: SocketAddr,
    load: Load,
    clients: usize,
    time: Duration,
) -> io::Result<Slice> {
    let begin = Instant::now();
    let mut run = Run {
        target,
        load,
        until: begin + time,
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        clients: Vec::new(),
        open: 0,
        slice: Slice::default(),
    };
    for index in 0..clients {
        run.clients.push(Client { exchange: Exchange::new(), began: begin });
        run.connect(index)?;
    }
    let mut events = Vec::with_capacity(clients);
    while run.open > 0 && run.slice.failed < FAILURES {
        if !exchange::wait(&run.epoll, &mut events, SILENCE)? {
            break;
        }
        for event in &events {
            run.serve(event)?;
        }
    }
    run.slice.failed += u64::try_from(run.open).unwrap_or(u64::MAX);
    run.slice.elapsed = begin.elapsed();
    Ok(run.slice)
}

struct Run {
    target: SocketAddr,
    load: Load,
    until: Instant,
    epoll: OwnedFd,
    clients: Vec<Client>,
    /// Clients with an attempt under way.
    open: usize,
    slice: Slice,
}

struct Client {
    exchange: Exchange,
    began: Instant,
}

impl Run {
    fn connect(&mut self, index: usize) -> io::Result<()> {
        let client = &mut self.clients[index];
        client.began = Instant::now();
        client.exchange.open(&self.epoll, index, self.target, request(self.load))?;
        self.open += 1;
        Ok(())
    }

    fn serve(&mut self, event: &Event) -> io::Result<()> {
        let index = exchange::index_of(event);
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let kept = self.load == Load::KeepAlive;
        let progress = client.exchange.serve(&self.epoll, event, request(self.load), kept)?;
        match progress {
            Progress::Going => return Ok(()),
            Progress::Answered => {
                self.slice.answered += 1;
                self.slice.latency.push(client.began.elapsed());
            }
            Progress::Failed => self.slice.failed += 1,
        }
        self.next(index, kept && progress == Progress::Answered)
    }

    /// The next attempt of a client whose last one has ended.
    fn next(&mut self, index: usize, kept: bool) -> io::Result<()> {
        let client = &mut self.clients[index];
        let over = Instant::now() >= self.until;
        if kept && !over {
            client.began = Instant::now();
            if client.exchange.ask(request(self.load))? {
                return Ok(());
            }
            self.slice.failed += 1;
        }
        client.exchange.close();
        self.open -= 1;
        if over { Ok(()) } else { self.connect(index) }
    }
}

const fn request(load: Load) -> &'static [u8] {
    match load {
        Load::Short => b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        Load::KeepAlive => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    }
}
