//! Descriptors by the kernel's own calls, in a loop that does nothing else: what the lane is held against.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::{Player, worker};
use crate::Failure;
use crate::order::{Done, How, Order, READY};

/// Most descriptors in a message, as in the lane.
const MOST: usize = 64;

/// As long as the lane's record for so many.
const fn bytes(descriptors: usize) -> usize {
    4 + 12 * descriptors
}

/// Messages between two looks at the clock.
const BURST: usize = 16;

pub(super) fn send() -> Result<(), Failure> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let (near, far) = socketpair(family, kind, SocketFlags::CLOEXEC, None)?;
    let _worker = worker::start(Player::SendmsgWorker, far)?;
    super::say(READY)?;
    for order in Order::all() {
        slice(&near, order?)?.say()?;
    }
    Ok(())
}

fn slice(socket: &OwnedFd, order: Order) -> Result<Done, Failure> {
    let How::Descriptors(each) = order.how else { return Err("no sendmsg sends that".into()) };
    let file = File::open("/dev/null")?;
    let fds = [file.as_fd(); MOST];
    let (begun, mut messages) = (Instant::now(), 0);
    while begun.elapsed() < order.time {
        for _ in 0..BURST {
            one(socket, &[0; bytes(MOST)][..bytes(each)], &fds[..each])?;
        }
        messages += BURST;
    }
    // Without a descriptor: the last one, which is answered.
    rustix::net::send(socket, &[0], SendFlags::empty())?;
    rustix::net::recv(socket, &mut [0], RecvFlags::empty())?;
    Ok(Done { count: (messages * each) as u64, elapsed: begun.elapsed() })
}

fn one(socket: &OwnedFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Failure> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(fds));
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

pub(super) fn receive() -> Result<(), Failure> {
    let socket = worker::socket()?;
    let mut room = [0; bytes(MOST)];
    loop {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MOST))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(&mut room)];
        let message = recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = part {
                fds.for_each(drop);
            }
        }
        match message.bytes {
            0 => return Ok(()),
            1 => drop(rustix::net::send(&socket, &[0], SendFlags::NOSIGNAL)?),
            _ => {}
        }
    }
}
