//! The load: one thread, one epoll, closed-loop clients. It shares the processors with the servers, so it is cheap.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{Timespec, epoll as epoll_call};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
    sockopt,
};

use crate::args::Load;

/// Without any event for so long the slice is given up and every open attempt counts as failed.
const SILENCE: Timespec = Timespec { tv_sec: 3, tv_nsec: 0 };

/// Failures that are seen before a slice is given up: the figures would be about something else.
const FAILURES: u64 = 1000;

/// Longer answers are a failure; those of the fixtures have about 200 bytes.
const ANSWER_BYTES: usize = 2048;

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
        run.clients.push(Client {
            socket: None,
            began: begin,
            sent: false,
            room: [0; ANSWER_BYTES],
            got: 0,
        });
        run.connect(index)?;
    }
    let mut events = Vec::with_capacity(clients);
    while run.open > 0 && run.slice.failed < FAILURES {
        events.clear();
        match epoll_call::wait(
            &run.epoll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&SILENCE),
        ) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
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
    socket: Option<OwnedFd>,
    began: Instant,
    sent: bool,
    room: [u8; ANSWER_BYTES],
    got: usize,
}

/// How far an attempt is.
enum Progress {
    Going,
    Answered,
    Failed,
}

impl Run {
    fn connect(&mut self, index: usize) -> io::Result<()> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        // The close after the server's own leaves no port in TIME_WAIT.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        let client = &mut self.clients[index];
        (client.began, client.sent, client.got) = (Instant::now(), false, 0);
        match connect(&socket, &self.target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        // On the loopback the handshake is over when connect returns, so the request goes at once.
        client.sent = send_request(&socket, self.load)?;
        let wanted = if client.sent { EventFlags::IN | EventFlags::RDHUP } else { EventFlags::OUT };
        epoll::add(&self.epoll, &socket, EventData::new_u64(index as u64), wanted)?;
        client.socket = Some(socket);
        self.open += 1;
        Ok(())
    }

    fn serve(&mut self, event: &Event) -> io::Result<()> {
        let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
        let Some(client) = self.clients.get_mut(index) else { return Ok(()) };
        if !client.sent {
            return self.send_late(index);
        }
        match client.read(self.load, event.flags) {
            Progress::Going => return Ok(()),
            Progress::Answered => {
                self.slice.answered += 1;
                self.slice.latency.push(client.began.elapsed());
            }
            Progress::Failed => self.slice.failed += 1,
        }
        self.next(index)
    }

    /// The next attempt of a client whose last one has ended.
    fn next(&mut self, index: usize) -> io::Result<()> {
        let client = &mut self.clients[index];
        let over = Instant::now() >= self.until;
        let kept = self.load == Load::KeepAlive && client.got > 0;
        if let (Some(socket), true, false) = (&client.socket, kept, over) {
            (client.began, client.got) = (Instant::now(), 0);
            if send_request(socket, self.load)? {
                return Ok(());
            }
            self.slice.failed += 1;
        }
        client.socket = None;
        self.open -= 1;
        if over { Ok(()) } else { self.connect(index) }
    }

    /// The handshake took longer than the connect.
    fn send_late(&mut self, index: usize) -> io::Result<()> {
        let client = &mut self.clients[index];
        let Some(socket) = &client.socket else { return Ok(()) };
        if send_request(socket, self.load)? {
            client.sent = true;
            let wanted = EventFlags::IN | EventFlags::RDHUP;
            return Ok(epoll::modify(
                &self.epoll,
                socket,
                EventData::new_u64(index as u64),
                wanted,
            )?);
        }
        Ok(())
    }
}

impl Client {
    fn read(&mut self, load: Load, flags: EventFlags) -> Progress {
        let Some(socket) = &self.socket else { return Progress::Going };
        match recv(socket, &mut self.room[self.got..], RecvFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => return Progress::Going,
            Err(_) => return Progress::Failed,
            Ok((0, _)) => return self.ended(load),
            Ok((count, _)) => self.got += count,
        }
        match load {
            // Both in one wake-up as a rule; else the end has an event of its own.
            Load::Short if flags.contains(EventFlags::RDHUP) => self.ended(load),
            Load::Short => Progress::Going,
            Load::KeepAlive => match is_whole(&self.room[..self.got]) {
                Some(true) => Progress::Answered,
                Some(false) if self.got < ANSWER_BYTES => Progress::Going,
                Some(false) | None => Progress::Failed,
            },
        }
    }

    /// The server has closed: right after the one answer, too early on a kept connection.
    fn ended(&mut self, load: Load) -> Progress {
        match (load, is_whole(&self.room[..self.got])) {
            (Load::Short, Some(true)) => Progress::Answered,
            (Load::Short, Some(false) | None) | (Load::KeepAlive, _) => {
                self.got = 0;
                Progress::Failed
            }
        }
    }
}

fn send_request(socket: &OwnedFd, load: Load) -> io::Result<bool> {
    let request: &[u8] = match load {
        Load::Short => b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        Load::KeepAlive => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    };
    match send(socket, request, SendFlags::NOSIGNAL) {
        // Room for one request is in every new socket.
        Ok(_) => Ok(true),
        Err(Errno::AGAIN | Errno::NOTCONN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether it is exactly one answer with status 200, by its own length; `None` when it cannot become one.
fn is_whole(answer: &[u8]) -> Option<bool> {
    let Some(end) = answer.windows(4).position(|it| it == b"\r\n\r\n") else {
        return Some(false);
    };
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    if !lines.next()?.starts_with("HTTP/1.1 200 ") {
        return None;
    }
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    match answer.len().cmp(&(end + 4 + length)) {
        std::cmp::Ordering::Less => Some(false),
        std::cmp::Ordering::Equal => Some(true),
        std::cmp::Ordering::Greater => None,
    }
}
