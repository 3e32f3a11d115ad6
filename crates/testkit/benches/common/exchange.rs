//! One connection of a client that shares the processors with the servers: no task, no allocation, one epoll for all.

use std::cmp::Ordering;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
    sockopt,
};

/// Longer answers are a failure; those of the fixtures have about 200 bytes.
const ANSWER_BYTES: usize = 2048;

/// The place of one attempt after another: a socket while one is under way, and room for its answer.
#[derive(Debug)]
pub(crate) struct Exchange {
    socket: Option<OwnedFd>,
    sent: bool,
    room: [u8; ANSWER_BYTES],
    got: usize,
}

/// How far an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Going,
    Answered,
    Failed,
}

impl Exchange {
    pub(crate) const fn new() -> Self {
        Self { socket: None, sent: false, room: [0; ANSWER_BYTES], got: 0 }
    }

    /// Connects and sends `request`. Its events carry `index`.
    pub(crate) fn open(
        &mut self,
        epoll: &OwnedFd,
        index: usize,
        target: SocketAddr,
        request: &[u8],
    ) -> io::Result<()> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        // The close after the server's own leaves no port in TIME_WAIT.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        match connect(&socket, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        self.socket = Some(socket);
        // On the loopback the handshake is over when connect returns, so the request goes at once.
        self.sent = self.ask(request)?;
        let Some(socket) = &self.socket else { return Ok(()) };
        epoll::add(epoll, socket, EventData::new_u64(index as u64), wanted(self.sent))?;
        Ok(())
    }

    /// Sends a request on the connection that is open; false when it cannot be sent now.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<bool> {
        self.got = 0;
        let Some(socket) = &self.socket else { return Ok(false) };
        match send(socket, request, SendFlags::NOSIGNAL) {
            // Room for one request is in every new socket.
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::NOTCONN) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// What an event brought. An answer is whole by its length on a `kept` connection, by the server's end on others.
    pub(crate) fn serve(
        &mut self,
        epoll: &OwnedFd,
        event: &epoll::Event,
        request: &[u8],
        kept: bool,
    ) -> io::Result<Progress> {
        if !self.sent {
            // The handshake took longer than the connect.
            self.sent = self.ask(request)?;
        }
        let Some(socket) = &self.socket else { return Ok(Progress::Going) };
        // The kernel's record is packed: its fields cannot be borrowed.
        let flags = event.flags;
        if flags.contains(EventFlags::OUT) {
            epoll::modify(epoll, socket, event.data, wanted(self.sent))?;
            return Ok(Progress::Going);
        }
        match recv(socket, &mut self.room[self.got..], RecvFlags::empty()) {
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Progress::Going),
            Err(_) => return Ok(Progress::Failed),
            Ok((0, _)) => return Ok(self.ended(kept)),
            Ok((count, _)) => self.got += count,
        }
        Ok(self.progress(flags, kept))
    }

    pub(crate) fn close(&mut self) {
        self.socket = None;
    }

    fn progress(&self, flags: EventFlags, kept: bool) -> Progress {
        if !kept {
            // Both in one wake-up as a rule; else the end has an event of its own.
            let over = flags.contains(EventFlags::RDHUP);
            return if over { self.ended(kept) } else { Progress::Going };
        }
        match is_whole(&self.room[..self.got]) {
            Some(true) => Progress::Answered,
            Some(false) if self.got < ANSWER_BYTES => Progress::Going,
            Some(false) | None => Progress::Failed,
        }
    }

    /// The server has closed: right after the one answer, too early on a kept connection.
    fn ended(&self, kept: bool) -> Progress {
        match (kept, is_whole(&self.room[..self.got])) {
            (false, Some(true)) => Progress::Answered,
            (false, Some(false) | None) | (true, _) => Progress::Failed,
        }
    }
}

/// Waits for events, `longest` at most; false when none came. A signal may end it early, without any.
pub(crate) fn wait(
    epoll: &OwnedFd,
    events: &mut Vec<epoll::Event>,
    longest: Duration,
) -> io::Result<bool> {
    events.clear();
    let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
    match epoll::wait(epoll, spare_capacity(events), Some(&longest)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Which client an event is about.
pub(crate) fn index_of(event: &epoll::Event) -> usize {
    usize::try_from(event.data.u64()).unwrap_or(usize::MAX)
}

fn wanted(sent: bool) -> EventFlags {
    if sent { EventFlags::IN | EventFlags::RDHUP } else { EventFlags::OUT }
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
        Ordering::Less => Some(false),
        Ordering::Equal => Some(true),
        Ordering::Greater => None,
    }
}
