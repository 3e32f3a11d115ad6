//! Two ends of a channel or lane, descriptors that can be told apart, and a process of one's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::future::Future;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::socket::{self, Received};

use super::DEADLINE;

/// A channel and the bare socket at its other end.
pub(crate) fn channel_with(settings: ChannelSettings) -> (Channel, OwnedFd) {
    let (ours, theirs) = socket::pair_stream().unwrap();
    (Channel::from_fd(ours, settings).unwrap(), theirs)
}

/// A channel with default limits and the bare socket at its other end.
pub(crate) fn channel() -> (Channel, OwnedFd) {
    channel_with(ChannelSettings::default())
}

/// Both ends of a channel.
pub(crate) fn channels() -> (Channel, Channel) {
    let (left, right) = channel();
    (left, Channel::from_fd(right, ChannelSettings::default()).unwrap())
}

/// Awaits with a deadline that only detects a hang.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(DEADLINE, future).await;
    result.unwrap_or_else(|_| panic!("nothing happened in {DEADLINE:?}"))
}

/// The next thing, which must be there.
pub(crate) async fn next(channel: &mut Channel) -> Incoming {
    within(channel.recv()).await.expect("the channel is open").expect("the channel is sound")
}

/// A new descriptor that no other has the [`identity`] of.
pub(crate) fn descriptor() -> OwnedFd {
    rustix::fs::memfd_create("descriptor", rustix::fs::MemfdFlags::CLOEXEC).unwrap()
}

/// What a descriptor and its duplicates have in common.
pub(crate) fn identity(fd: impl AsFd) -> u64 {
    rustix::fs::fstat(fd).unwrap().st_ino
}

/// Sends a line from a bare socket, with a descriptor or without.
pub(crate) fn send(socket: &OwnedFd, line: &str, fd: Option<&OwnedFd>) {
    let fds: Vec<_> = fd.into_iter().map(AsFd::as_fd).collect();
    assert_eq!(socket::send(socket, line.as_bytes(), &fds).unwrap(), line.len());
}

/// What is there at a bare socket now.
pub(crate) fn received(socket: &OwnedFd) -> (String, Vec<OwnedFd>) {
    let mut buffer = vec![0; 1 << 20];
    match socket::recv(socket, &mut buffer) {
        Ok(Received { n, fds, .. }) => (String::from_utf8(buffer[..n].to_vec()).unwrap(), fds),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => (String::new(), Vec::new()),
        Err(error) => panic!("{error}"),
    }
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls `channel` until it is pending: what it gave, and whether it wakes its task by itself, which it may do only
/// when the runtime has looked at everything else.
pub(crate) async fn one_turn(channel: &mut Channel) -> (Vec<Incoming>, bool) {
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    // The first is awaited, so that the reactor sees what the kernel has; polling by hand does not let it.
    let mut given = vec![next(channel).await];
    while let Poll::Ready(incoming) = channel.poll_recv(&mut Context::from_waker(&waker)) {
        given.push(incoming.unwrap().unwrap());
    }
    assert_eq!(wakes.0.load(Ordering::SeqCst), 0, "nobody else had a turn");
    tokio::task::yield_now().await;
    (given, wakes.0.load(Ordering::SeqCst) > 0)
}
