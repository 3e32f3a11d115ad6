//! The floor: prefork processes with nothing between the kernel and a few lines of HTTP. No runtime, no primary; a request
//! that is there already is answered without a look at epoll.

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

/// Of the listening socket; connections have their own numbers.
const LISTENER: u64 = u64::MAX;

/// Starts the processes and waits for their end. They end with their process group: the benchmark kills it.
pub(crate) fn run(workers: u16, accept: Accept) -> Result<(), Failure> {
    let held = socket((Ipv4Addr::LOCALHOST, 0).into())?;
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
        Accept::Shared => rustix::io::dup(rustix::stdio::stdin())?,
        Accept::Own => {
            let own = socket(address)?;
            listen(&own, BACKLOG)?;
            own
        }
    };
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    // One process is woken for a connection, not all.
    let flags = EventFlags::IN | EventFlags::EXCLUSIVE;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), flags)?;
    announce(TcpListener::from(listener.try_clone()?).local_addr()?)?;
    let body = format!("hello from worker 0 pid {}\n", std::process::id());
    let mut open: HashMap<RawFd, OwnedFd> = HashMap::new();
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        events.clear();
        match epoll::wait(&epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let Event { data, .. } = *event;
            if data.u64() == LISTENER {
                accept_one(&listener, &epoll, &body, &mut open)?;
                continue;
            }
            let descriptor = RawFd::try_from(data.u64())?;
            if open.get(&descriptor).is_some_and(|it| !stays(it, &body)) {
                open.remove(&descriptor);
            }
        }
    }
}

/// Takes one connection and answers what is there already; the next one brings its own event.
fn accept_one(
    listener: &OwnedFd,
    epoll: &OwnedFd,
    body: &str,
    open: &mut HashMap<RawFd, OwnedFd>,
) -> Result<(), Failure> {
    let connection = match accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
        Ok(connection) => connection,
        // Another process had it.
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if stays(&connection, body) {
        let descriptor = connection.as_raw_fd();
        let data = EventData::new_u64(u64::try_from(descriptor)?);
        epoll::add(epoll, &connection, data, EventFlags::IN)?;
        open.insert(descriptor, connection);
    }
    Ok(())
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

fn socket(address: SocketAddr) -> Result<OwnedFd, Failure> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    bind(&socket, &address)?;
    Ok(socket)
}
