//! The ends of a started process's descriptors that are pipes to this one.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{OwnedFd, RawFd};

use portcrew_ipc::spawn::Spawned;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// This process's ends, until somebody takes them.
#[derive(Debug)]
pub(crate) struct Pipes {
    pub(crate) stdin: Option<pipe::Sender>,
    pub(crate) stdout: Option<pipe::Receiver>,
    pub(crate) stderr: Option<pipe::Receiver>,
    /// Those beyond the standard streams, by their numbers in the other process.
    pub(crate) fds: BTreeMap<RawFd, UnixStream>,
}

impl Pipes {
    /// Takes them and registers them with the current runtime.
    pub(crate) fn of(spawned: &mut Spawned) -> io::Result<Self> {
        let stream = |(number, fd): (RawFd, OwnedFd)| -> io::Result<_> {
            Ok((number, UnixStream::from_std(fd.into())?))
        };
        let extra = std::mem::take(&mut spawned.extra);
        Ok(Self {
            stdin: spawned.stdin.take().map(pipe::Sender::from_owned_fd).transpose()?,
            stdout: spawned.stdout.take().map(pipe::Receiver::from_owned_fd).transpose()?,
            stderr: spawned.stderr.take().map(pipe::Receiver::from_owned_fd).transpose()?,
            fds: extra.into_iter().map(stream).collect::<Result<_, _>>()?,
        })
    }
}
