//! The system calls on Unix sockets: send and receive with descriptors, and pairs of connected ends.
//!
//! Nothing here ever blocks, raises SIGPIPE or leaves a received descriptor without close-on-exec. Every read
//! is a `recvmsg` with room for all descriptors that one message can carry: a plain `read` would silently
//! destroy them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::io::retry_on_intr;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// Most descriptors that one message can carry; the kernel's own limit.
pub const MESSAGE_DESCRIPTORS: usize = 253;

const CONTROL_BYTES: usize = cmsg_space!(ScmRights(MESSAGE_DESCRIPTORS));

/// What one [`recv`] brought.
#[derive(Debug)]
pub struct Received {
    /// Bytes put into the buffer. Zero means that the peer has closed its end.
    pub n: usize,
    /// The descriptors, in the order in which they were sent, close-on-exec.
    pub fds: Vec<OwnedFd>,
    /// Descriptors were lost (`MSG_CTRUNC`): this process has as many open as it may. Those in `fds` are the
    /// first ones of the message.
    pub truncated: bool,
    /// The record was longer than the buffer and its end is lost. Only on sockets that keep records.
    pub cut: bool,
}

impl Received {
    /// Whether the queue of a stream was certainly empty after this was read into `room` bytes: Linux ends a read
    /// sooner only behind descriptors. (BSD also ends it before them.)
    pub(crate) fn is_all(&self, room: usize) -> bool {
        let without_descriptors = self.fds.is_empty() && !self.truncated;
        cfg!(target_os = "linux") && 0 < self.n && self.n < room && without_descriptors
    }
}

/// Sends `bytes`, with `fds` attached to the first of them. Returns how many bytes went out.
///
/// After a partial write the rest must go *without* the descriptors: they went with the first byte. The
/// receiver gets duplicates, so the caller's descriptors may be closed once this returns.
///
/// # Errors
/// `WouldBlock` when the peer's buffer is full; `BrokenPipe` or `ConnectionReset` when it is gone;
/// `InvalidInput` for more than [`MESSAGE_DESCRIPTORS`], or for descriptors without a byte to carry them;
/// `ETOOMANYREFS` when this user has too many descriptors in flight.
pub fn send(fd: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    if fds.is_empty() {
        return Ok(retry_on_intr(|| rustix::net::send(&fd, bytes, flags))?);
    }
    if bytes.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(retry_on_intr(|| sendmsg(&fd, &[IoSlice::new(bytes)], &mut control, flags))?)
}

/// Receives bytes and whatever descriptors come with them.
///
/// # Errors
/// `WouldBlock` when nothing is there; `ConnectionReset` when the peer died with unread bytes of ours (on a
/// socket that keeps records this comes *before* what it had sent: read on until 0).
pub fn recv(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message =
        retry_on_intr(|| recvmsg(&fd, &mut [IoSliceMut::new(buffer)], &mut control, flags))?;

    let mut fds = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = part {
            fds.extend(received);
        }
    }
    Ok(Received {
        n: message.bytes,
        fds,
        truncated: message.flags.contains(ReturnFlags::CTRUNC),
        cut: message.flags.contains(ReturnFlags::TRUNC),
    })
}

/// As [`recv`], passing over one reset. A reset only says that the peer left with bytes of ours unread; what
/// it had sent, or its end, is behind it.
///
/// # Errors
/// As [`recv`].
pub fn recv_past_reset(fd: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    match recv(&fd, buffer) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => recv(&fd, buffer),
        result => result,
    }
}

/// Two connected ends of a byte stream, close-on-exec and non-blocking: a channel.
///
/// # Errors
/// Too many open descriptors, or no memory.
pub fn pair_stream() -> io::Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::STREAM)
}

/// Two connected ends that keep records whole, close-on-exec and non-blocking: a lane.
///
/// # Errors
/// Too many open descriptors, or no memory.
pub fn pair_seqpacket() -> io::Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::SEQPACKET)
}

fn pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socketpair(AddressFamily::UNIX, kind, flags, None)?)
}
