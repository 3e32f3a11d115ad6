//! The floor of handing over: one process accepts and sends descriptors, in turn, as many as wait in one record. It closes
//! its copies at once: nobody answers for them, and what a worker dies with is lost.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};

use portcrew_ipc::probe;
use portcrew_ipc::socket::{self, MESSAGE_DESCRIPTORS};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, listen};

use super::{BACKLOG, LISTENER, Open, bound, wait};
use crate::common::Failure;
use crate::common::fixture::{Accept, announce};

/// Accepts and hands over, until its process group is killed.
pub(super) fn run(workers: u16) -> Result<(), Failure> {
    let listener = bound((Ipv4Addr::LOCALHOST, 0).into())?;
    listen(&listener, BACKLOG)?;
    let address = rustix::net::getsockname(&listener)?.try_into().map(SocketAddr::V4)?;
    let lanes = (0..workers).map(|_| start(address)).collect::<Result<Vec<_>, _>>()?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let mut events = Vec::with_capacity(1);
    let mut next = 0;
    loop {
        wait(&epoll, &mut events)?;
        let waiting = usize::try_from(probe::accept_queue(listener.as_fd())?.waiting)?;
        let mut shares: Vec<Vec<OwnedFd>> = lanes.iter().map(|_| Vec::new()).collect();
        for _ in 0..waiting.min(MESSAGE_DESCRIPTORS) {
            match accept_with(&listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(connection) => shares[next].push(connection),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => return Err(error.into()),
            }
            next = (next + 1) % lanes.len();
        }
        for (lane, share) in lanes.iter().zip(&shares).filter(|(_, share)| !share.is_empty()) {
            let share: Vec<_> = share.iter().map(|it| it.as_fd()).collect();
            // The record of so few connections has room: these clients wait for their answers.
            socket::send(lane, b"x", &share)?;
        }
        drop(shares);
        // As the library does: those who bring more go first.
        std::thread::yield_now();
    }
}

fn start(address: SocketAddr) -> Result<OwnedFd, Failure> {
    let (ours, theirs) = socket::pair_seqpacket()?;
    let words = ["serve", "floor-worker", Accept::Handed.word(), &address.to_string()];
    // It ends with the process group.
    Command::new(std::env::current_exe()?).args(words).stdin(Stdio::from(theirs)).spawn()?;
    Ok(ours)
}

/// Is one of the workers.
pub(super) fn serve(address: SocketAddr) -> Result<(), Failure> {
    let lane = rustix::io::dup(rustix::stdio::stdin())?;
    let mut open = Open::new()?;
    epoll::add(&open.epoll, &lane, EventData::new_u64(LISTENER), EventFlags::IN)?;
    announce(address)?;
    open.serve(|open| {
        let received = socket::recv(&lane, &mut [0])?;
        received.fds.into_iter().try_for_each(|it| open.take(it))?;
        // Without a byte the one that accepts has ended.
        Ok(received.n > 0)
    })
}
