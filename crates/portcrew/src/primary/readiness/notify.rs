//! The socket to which a worker sends `READY=1`, `STATUS=` and `WATCHDOG=1`: sd_notify(3), spoken downwards.

use std::ffi::OsString;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use rustix::process::Uid;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// The variable that names the socket.
const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// The variable with the time within which a sign of life is wanted, in microseconds.
const WATCHDOG: &str = "WATCHDOG_USEC";

/// What this process's own service manager says to this process, and a worker must not take for its own.
pub(in crate::primary) const MEANT_FOR_ONE: [&str; 3] = [NOTIFY_SOCKET, WATCHDOG, "WATCHDOG_PID"];

/// The longest datagram that is read, in bytes. A longer one is dropped.
const DATAGRAM: usize = 4096;

/// The longest status that is passed on, in bytes. A longer one is cut.
const STATUS: usize = 512;

/// One worker's socket. Its name is abstract, so it leaves no file behind; since everybody on this machine can read
/// such names, the kernel says who sent each datagram.
#[derive(Debug)]
pub(crate) struct NotifySocket {
    socket: UnixDatagram,
    name: String,
    /// Whose word counts, beside root's.
    user: Uid,
}

/// What one datagram says, as far as it is understood here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) ready: bool,
    pub(crate) alive: bool,
    pub(crate) status: Option<String>,
}

impl NotifySocket {
    /// A socket for a worker that runs as this user, or as this process's.
    ///
    /// # Errors
    ///
    /// No descriptor or memory is left; no runtime is current.
    pub(crate) fn new(user: Option<u32>) -> io::Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Unique in this process by the number, and among processes by the pid; the time keeps another PID namespace
        // with the same network apart.
        let (pid, number) = (std::process::id(), LAST.fetch_add(1, Ordering::Relaxed));
        let name = format!("portcrew/notify/{pid}-{number}-{:x}", since.as_nanos());
        let socket = StdDatagram::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        rustix::net::sockopt::set_socket_passcred(&socket, true)?;
        socket.set_nonblocking(true)?;
        let user = user.map_or_else(rustix::process::geteuid, Uid::from_raw);
        Ok(Self { socket: UnixDatagram::from_std(socket)?, name, user })
    }

    /// The variables by which the worker finds it, and how long it may be silent (sd_watchdog_enabled(3)).
    pub(crate) fn variables(
        &self,
        watchdog: Option<Duration>,
    ) -> impl Iterator<Item = (OsString, OsString)> {
        let name = (NOTIFY_SOCKET.into(), format!("@{}", self.name).into());
        let watchdog = watchdog.map(|it| (WATCHDOG.into(), it.as_micros().to_string().into()));
        std::iter::once(name).chain(watchdog)
    }

    /// The next datagram of somebody whose word counts.
    pub(super) async fn next(&self) -> io::Result<Said> {
        loop {
            let mut bytes = [0; DATAGRAM];
            let read = || receive(&self.socket, &mut bytes);
            let (length, from) = self.socket.async_io(Interest::READABLE, read).await?;
            match (length, from) {
                (Some(length), Some(from)) if from == self.user || from.is_root() => {
                    return Ok(said(&bytes[..length]));
                }
                // Too long, or nobody whose word counts.
                (Some(_) | None, Some(_) | None) => {}
            }
        }
    }
}

/// One datagram: its length, unless it was too long, and who sent it. Descriptors that come with it are closed by the
/// kernel, because there is no room for them.
fn receive(socket: impl AsFd, bytes: &mut [u8]) -> io::Result<(Option<usize>, Option<Uid>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut control, flags)?;
    let from = control.drain().find_map(|it| match it {
        RecvAncillaryMessage::ScmCredentials(from) => Some(from.uid),
        _ => None,
    });
    let is_whole = !got.flags.contains(ReturnFlags::TRUNC);
    Ok((is_whole.then_some(got.bytes), from))
}

fn said(datagram: &[u8]) -> Said {
    let mut said = Said::default();
    for line in datagram.split(|byte| *byte == b'\n') {
        match line.split_at_checked(line.iter().position(|it| *it == b'=').map_or(0, |it| it + 1)) {
            Some((b"READY=", b"1")) => said.ready = true,
            Some((b"WATCHDOG=", b"1")) => said.alive = true,
            Some((b"STATUS=", text)) => {
                let text = &text[..text.len().min(STATUS)];
                said.status = Some(String::from_utf8_lossy(text).into_owned());
            }
            // Meant for a service manager, or for nobody.
            Some(_) | None => {}
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_is_read_line_by_line_and_what_is_not_understood_is_passed_over() {
        let found = said(b"STATUS=warming up\nMAINPID=7\nREADY=1\nnonsense\nWATCHDOG=1\n");
        let status = Some("warming up".to_owned());
        assert_eq!(found, Said { ready: true, alive: true, status });
        assert_eq!(said(b"READY=0\nWATCHDOG=trigger\nXREADY=1\n=1"), Said::default());
        let long = [b"STATUS=".as_slice(), &[b'x'; 4000]].concat();
        assert_eq!(said(&long).status.map(|it| it.len()), Some(STATUS));
    }

    #[tokio::test]
    async fn a_datagram_of_this_user_is_heard_and_one_that_is_too_long_is_not() {
        let socket = NotifySocket::new(None).unwrap();
        let to = SocketAddr::from_abstract_name(&socket.name).unwrap();
        let from = StdDatagram::unbound().unwrap();
        from.send_to_addr(&[b'x'; DATAGRAM + 1], &to).unwrap();
        from.send_to_addr(b"READY=1", &to).unwrap();
        assert!(socket.next().await.unwrap().ready);
    }
}
