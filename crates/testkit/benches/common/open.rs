//! An open loop. Requests are due at random, and a late answer to one does not delay the next.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use portcrew_testkit::http::Gaps;
use portcrew_testkit::sim::Rng;
use rustix::event::epoll::{self, CreateFlags, Event};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::exchange::{self, Exchange, Progress};

/// Without any event for so long after the last arrival the slice is given up; what is open counts as failed.
const SILENCE: Duration = Duration::from_secs(3);

/// Most requests under way. Beyond it arrivals wait here, which shows: latency counts from when a request was due.
const MOST_OPEN: usize = 4096;

/// Events of one look.
const EVENTS: usize = 256;

/// What is asked for, and how often.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) per_second: f64,
    /// One request in so many is slow.
    pub(crate) one_in: u64,
    pub(crate) fast: Vec<u8>,
    pub(crate) slow: Vec<u8>,
}

/// What one slice brought.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    /// Of each answer to a fast request, from the moment at which the request was due.
    pub(crate) fast: Vec<Duration>,
    /// Of each answer to a slow one.
    pub(crate) slow: Vec<Duration>,
    /// Of each request, how long after it was due the client began it: the machine's own share of its latency.
    pub(crate) late: Vec<Duration>,
    pub(crate) failed: u64,
}

/// A request with a connection of its own.
pub(crate) fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

/// Loads `target` for `time`, then lets every open attempt end. The same seed gives the same arrivals.
pub(crate) fn run(target: SocketAddr, load: &Load, time: Duration, seed: u64) -> io::Result<Slice> {
    let mut run = Run {
        target,
        load,
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        clients: Vec::new(),
        idle: Vec::new(),
        slice: Slice::default(),
    };
    let mut arrivals = Arrivals::new(load, time, seed);
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        run.begin_due(&mut arrivals)?;
        let longest = match arrivals.next {
            Some(next) if run.has_room() => next.due.saturating_duration_since(Instant::now()),
            // Only an answer makes room, or only answers are left.
            Some(_) => SILENCE,
            None if run.open() == 0 => break,
            None => SILENCE,
        };
        let silent = !wait(&run.epoll, &mut events, longest)?;
        if silent && longest == SILENCE {
            break;
        }
        for event in &events {
            run.serve(event)?;
        }
    }
    run.slice.failed += u64::try_from(run.open()).unwrap_or(u64::MAX);
    Ok(run.slice)
}

/// As [`exchange::wait`], to the microsecond: an epoll's own timeout has whole milliseconds before Linux 5.11.
fn wait(epoll: &OwnedFd, events: &mut Vec<Event>, longest: Duration) -> io::Result<bool> {
    let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(epoll, PollFlags::IN)], Some(&longest)) {
        Ok(0) => {
            events.clear();
            Ok(false)
        }
        Ok(_) => exchange::wait(epoll, events, Duration::ZERO),
        // As there: nobody was silent for the whole time.
        Err(Errno::INTR) => {
            events.clear();
            Ok(true)
        }
        Err(error) => Err(error.into()),
    }
}

/// When which request is due.
struct Arrivals {
    gaps: Gaps,
    kinds: Rng,
    one_in: u64,
    until: Instant,
    /// None when the time is over.
    next: Option<Arrival>,
}

#[derive(Clone, Copy)]
struct Arrival {
    due: Instant,
    slow: bool,
}

impl Arrivals {
    fn new(load: &Load, time: Duration, seed: u64) -> Self {
        let now = Instant::now();
        let first = Arrival { due: now, slow: false };
        Self {
            gaps: Gaps::new(load.per_second, seed),
            // Of its own, so that which are slow does not depend on the rate.
            kinds: Rng::new(!seed),
            one_in: load.one_in,
            until: now + time,
            next: Some(first),
        }
    }

    /// The next one, when it is due.
    fn take(&mut self, now: Instant) -> Option<Arrival> {
        let arrival = self.next.filter(|it| it.due <= now)?;
        let due = arrival.due + self.gaps.next_gap();
        let slow = self.kinds.below(self.one_in) == 0;
        self.next = (due < self.until).then_some(Arrival { due, slow });
        Some(arrival)
    }
}

struct Run<'a> {
    target: SocketAddr,
    load: &'a Load,
    epoll: OwnedFd,
    clients: Vec<Client>,
    /// Places in `clients` without an attempt under way.
    idle: Vec<usize>,
    slice: Slice,
}

struct Client {
    exchange: Exchange,
    arrival: Arrival,
}

impl Run<'_> {
    fn open(&self) -> usize {
        self.clients.len() - self.idle.len()
    }

    fn has_room(&self) -> bool {
        self.open() < MOST_OPEN
    }

    fn begin_due(&mut self, arrivals: &mut Arrivals) -> io::Result<()> {
        while self.has_room() {
            let Some(arrival) = arrivals.take(Instant::now()) else { break };
            let index = self.idle.pop().unwrap_or_else(|| {
                self.clients.push(Client { exchange: Exchange::new(), arrival });
                self.clients.len() - 1
            });
            let client = &mut self.clients[index];
            client.arrival = arrival;
            self.slice.late.push(arrival.due.elapsed());
            client.exchange.open(&self.epoll, index, self.target, self.load.request(arrival))?;
        }
        Ok(())
    }

    fn serve(&mut self, event: &Event) -> io::Result<()> {
        let index = exchange::index_of(event);
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        let Arrival { due, slow } = client.arrival;
        let request = self.load.request(client.arrival);
        match client.exchange.serve(&self.epoll, event, request, false)? {
            Progress::Going => return Ok(()),
            Progress::Answered if slow => self.slice.slow.push(due.elapsed()),
            Progress::Answered => self.slice.fast.push(due.elapsed()),
            Progress::Failed => self.slice.failed += 1,
        }
        client.exchange.close();
        self.idle.push(index);
        Ok(())
    }
}

impl Load {
    fn request(&self, arrival: Arrival) -> &[u8] {
        if arrival.slow { &self.slow } else { &self.fast }
    }
}
