//! The datagram socket of a service manager. Nobody waits for it: what it does not take now stands in a queue.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram as Blocking};

use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// Messages that stand before a manager which does not read. Beyond it the oldest goes: it is out of date.
const QUEUE: usize = 64;

/// A connected socket.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UnixDatagram,
    queue: VecDeque<String>,
}

impl Socket {
    /// By the value of NOTIFY_SOCKET: an absolute path, or `@` and a name in the abstract namespace.
    ///
    /// # Errors
    /// `Unsupported` for an address of another kind; that of the system when nobody is there.
    pub(super) fn connect(address: &OsStr) -> io::Result<Self> {
        let address = match address.as_bytes() {
            [b'@', name @ ..] if !name.is_empty() => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(address)?,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = Blocking::unbound()?;
        socket.connect_addr(&address)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket: UnixDatagram::from_std(socket)?, queue: VecDeque::new() })
    }

    /// Sends it, after all that waits.
    ///
    /// # Errors
    /// The manager has gone. What waited is given up.
    pub(super) fn send(&mut self, message: String) -> io::Result<()> {
        if self.queue.len() == QUEUE {
            self.queue.pop_front();
        }
        self.queue.push_back(message);
        // Not asked of the runtime: it knows nothing yet of a socket that was made this moment.
        match flush(self.socket.as_fd(), &mut self.queue) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Waits until something that waits can be sent, and sends it; for ever while nothing waits. Cancel safe.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub(super) async fn drain(&mut self) -> io::Result<()> {
        while !self.queue.is_empty() {
            self.socket.writable().await?;
            let Self { socket, queue } = self;
            // By the runtime's hand, which learns when there was no room after all.
            match socket.try_io(Interest::WRITABLE, || flush(socket.as_fd(), queue)) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        std::future::pending().await
    }
}

/// Sends what the kernel takes now. `WouldBlock` when something is left.
fn flush(socket: BorrowedFd<'_>, queue: &mut VecDeque<String>) -> io::Result<()> {
    while let Some(message) = queue.front() {
        match rustix::net::send(socket, message.as_bytes(), SendFlags::NOSIGNAL) {
            Ok(_) => drop(queue.pop_front()),
            Err(Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => {
                queue.clear();
                return Err(error.into());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }

    fn received(manager: &Blocking) -> String {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_path_and_a_name_are_both_addresses_and_nothing_else_is() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("notify");
            let name = format!("portcrew-test-{}", std::process::id());
            let abstracted = SocketAddr::from_abstract_name(&name).unwrap();
            let by_name = Blocking::bind_addr(&abstracted).unwrap();
            let by_path = Blocking::bind(&path).unwrap();
            let address = format!("@{name}");
            for (manager, address) in [(by_name, address.as_ref()), (by_path, path.as_os_str())] {
                manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                Socket::connect(address).unwrap().send("READY=1".to_owned()).unwrap();
                assert_eq!(received(&manager), "READY=1");
            }
            for address in ["", "@", "notify", "vsock:2:1234"] {
                let kind = Socket::connect(address.as_ref()).unwrap_err().kind();
                assert_eq!(kind, io::ErrorKind::Unsupported, "{address}");
            }
        });
    }

    #[test]
    fn a_manager_that_does_not_read_keeps_nobody_waiting_and_gets_the_latest_in_order() {
        run(async {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("notify");
            let manager = Blocking::bind(&path).unwrap();
            manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut socket = Socket::connect(path.as_os_str()).unwrap();
            let most = 1_000;
            (0..most).for_each(|number| socket.send(format!("STATUS={number}")).unwrap());
            assert_eq!(socket.queue.len(), QUEUE, "the kernel's own queue is shorter");
            let mut last = received(&manager);
            assert_eq!(last, "STATUS=0");
            while !socket.queue.is_empty() {
                last = received(&manager);
                let _ = timeout(Duration::from_millis(1), socket.drain()).await;
            }
            manager.set_nonblocking(true).unwrap();
            let mut buffer = [0; 256];
            while let Ok(length) = manager.recv(&mut buffer) {
                last = String::from_utf8(buffer[..length].to_vec()).unwrap();
            }
            assert_eq!(last, format!("STATUS={}", most - 1));
        });
    }
}
