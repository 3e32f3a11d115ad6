//! The floor: processes with nothing between the kernel and a few lines of HTTP. No runtime; a request that is there
//! already is answered without a look at epoll.

mod handed;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::process::{Command, Stdio};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, accept_with, bind, listen, recv,
    send, socket_with, sockopt,
};

use super::fixture::{Accept, announce};
use super::{Failure, minimal};

/// The kernel's queue, as long as Node's and ours.
const BACKLOG: i32 = 511;

/// Events of one look.
const EVENTS: usize = 256;

/// Of what brings new connections; each of those has its own number.
const LISTENER: u64 = u64::MAX;

/// Starts the processes and waits for their end. They end with their process group: the benchmark kills it.
pub(crate) fn run(workers: u16, accept: Accept) -> Result<(), Failure> {
    if accept == Accept::Handed {
        return handed::run(workers);
    }
    let held = bound((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = rustix::net::getsockname(&held)?.try_into().map(SocketAddr::V4)?;
    // Of one socket all accept; with a socket for each this one keeps the port, and no connection comes here.
    if accept == Accept::Shared {
        listen(&held, BACKLOG)?;
    }
    let exe = std::env::current_exe()?;
    let words = ["serve", "floor-worker", accept.word(), &address.to_string()];
    let start = |_| Command::new(&exe).args(words).stdin(Stdio::from(held.try_clone()?)).spawn();
    let children = (0..workers).map(start).collect::<Result<Vec<_>, _>>()?;
    for mut child in children {
        child.wait()?;
    }
    Ok(())
}

/// Is one of them.
pub(crate) fn serve(accept: Accept, address: SocketAddr) -> Result<(), Failure> {
    let listener = match accept {
        Accept::Handed => return handed::serve(address),
        Accept::Shared => rustix::io::dup(rustix::stdio::stdin())?,
        Accept::Own => {
            let own = bound(address)?;
            listen(&own, BACKLOG)?;
            own
        }
    };
    let mut open = Open::new()?;
    // One process is woken for a connection, not all.
    let flags = EventFlags::IN | EventFlags::EXCLUSIVE;
    epoll::add(&open.epoll, &listener, EventData::new_u64(LISTENER), flags)?;
    announce(TcpListener::from(listener.try_clone()?).local_addr()?)?;
    open.serve(|open| accept_one(&listener, open).map(|()| true))
}

fn wait(epoll: &OwnedFd, events: &mut Vec<Event>) -> Result<(), Failure> {
    events.clear();
    match epoll::wait(epoll, spare_capacity(events), None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes one connection; the next one brings its own event.
fn accept_one(listener: &OwnedFd, open: &mut Open) -> Result<(), Failure> {
    match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(connection) => open.take(connection),
        // Another process had it.
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The connections of one process.
struct Open {
    epoll: OwnedFd,
    connections: HashMap<RawFd, OwnedFd>,
    body: String,
}

impl Open {
    fn new() -> Result<Self, Failure> {
        let body = format!("hello from worker 0 pid {}\n", std::process::id());
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, connections: HashMap::new(), body })
    }

    /// Goes on until what brings new connections says that there are no more.
    fn serve(
        &mut self,
        mut news: impl FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            wait(&self.epoll, &mut events)?;
            for event in &events {
                let Event { data, .. } = *event;
                match data.u64() {
                    LISTENER if news(self)? => {}
                    LISTENER => return Ok(()),
                    known => self.go_on(known)?,
                }
            }
        }
    }

    /// Answers what is there already.
    fn take(&mut self, connection: OwnedFd) -> Result<(), Failure> {
        if stays(&connection, &self.body) {
            let descriptor = connection.as_raw_fd();
            let data = EventData::new_u64(u64::try_from(descriptor)?);
            epoll::add(&self.epoll, &connection, data, EventFlags::IN)?;
            self.connections.insert(descriptor, connection);
        }
        Ok(())
    }

    /// One of them can be read.
    fn go_on(&mut self, known: u64) -> Result<(), Failure> {
        let descriptor = RawFd::try_from(known)?;
        if self.connections.get(&descriptor).is_some_and(|it| !stays(it, &self.body)) {
            self.connections.remove(&descriptor);
        }
        Ok(())
    }
}

/// Answers a request that is there; false when the connection is over. A request comes in one piece from these clients.
fn stays(connection: &OwnedFd, body: &str) -> bool {
    let mut room = [0; minimal::REQUEST_BYTES];
    let got = match recv(connection, &mut room[..], RecvFlags::empty()) {
        Err(Errno::AGAIN | Errno::INTR) => return true,
        Ok((0, _)) | Err(_) => return false,
        Ok((got, _)) => got,
    };
    let Some(request) = minimal::whole(&room[..got]) else { return false };
    let response = minimal::response(body, request.close);
    let sent = send(connection, response.as_bytes(), SendFlags::NOSIGNAL);
    sent.is_ok_and(|sent| sent == response.len()) && !request.close
}

fn bound(address: SocketAddr) -> Result<OwnedFd, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &address)?;
    Ok(socket)
}
