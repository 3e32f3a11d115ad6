//! At which of many listening sockets something waits, told once for each until it is asked for again.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use crate::reactor::Arrivals;

/// So many are asked for in one system call.
const BATCH: usize = 64;

/// Tells at which of the sockets that others accept from something waits: the first time, and then nothing until that
/// one is armed again.
///
/// It is an epoll descriptor with a one-shot registration for each socket. The reactor of tokio watches it only from
/// [`wait`](Self::wait) until something has fired; whoever looks at it from time to time is not woken in between. The
/// sockets' mode is left as it is, since that belongs to all who have them open.
#[derive(Debug)]
pub struct FirstArrivals {
    /// Ends before the epoll that it is about.
    waiting: Option<Arrivals>,
    epoll: Arc<OwnedFd>,
    /// Held open, for a registration would outlive the number of a socket that others have open too.
    sockets: BTreeMap<u64, Arc<OwnedFd>>,
}

impl FirstArrivals {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// A limit of the system is reached.
    pub fn new() -> io::Result<Self> {
        let epoll = Arc::new(epoll::create(CreateFlags::CLOEXEC)?);
        Ok(Self { waiting: None, epoll, sockets: BTreeMap::new() })
    }

    /// Watches a socket, armed, in place of the one that had this key. One at which something waits fires at once.
    ///
    /// # Errors
    /// The kernel refuses (no memory, or the user's limit of registrations); the socket is watched by another key
    /// already. Then nothing is watched by this key.
    pub fn add(&mut self, key: u64, socket: Arc<OwnedFd>) -> io::Result<()> {
        self.remove(key);
        epoll::add(&*self.epoll, &socket, EventData::new_u64(key), ONCE)?;
        self.sockets.insert(key, socket);
        Ok(())
    }

    /// Arms a socket again. If something waits at it now it fires at once. Nothing for a key that is not there.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn rearm(&self, key: u64) -> io::Result<()> {
        let Some(socket) = self.sockets.get(&key) else { return Ok(()) };
        Ok(epoll::modify(&*self.epoll, socket, EventData::new_u64(key), ONCE)?)
    }

    /// Watches it no longer.
    pub fn remove(&mut self, key: u64) {
        if let Some(socket) = self.sockets.remove(&key) {
            // It is registered, as everything in the map is: that cannot fail.
            let _ = epoll::delete(&*self.epoll, &socket);
        }
    }

    /// Has the next [`poll_fired`](Self::poll_fired) be ready when something has fired that is not
    /// [taken](Self::take). Nothing, if that is so already.
    ///
    /// # Errors
    /// No tokio runtime is current, or the kernel refuses (no memory, or the user's limit of registrations).
    ///
    /// # Panics
    /// As [`AsyncOwnedFd::new`](crate::reactor::AsyncOwnedFd::new).
    pub fn wait(&mut self) -> io::Result<()> {
        if self.waiting.is_none() {
            self.waiting = Some(Arrivals::new(Arc::clone(&self.epoll))?);
        }
        Ok(())
    }

    /// Ready, once, when something has fired since [`wait`](Self::wait) or had before. It remembers one waker: all polls
    /// belong to one task.
    pub fn poll_fired(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(waiting) = &self.waiting else { return Poll::Pending };
        // A runtime that is shutting down wakes nobody any more.
        let fired = waiting.poll(cx, |_, _| Ok(Some(()))).map(drop);
        if fired.is_ready() {
            self.waiting = None;
        }
        fired
    }

    /// Adds the keys of all that have fired, without waiting. Each of them is disarmed.
    ///
    /// One that was shut down (`shutdown(2)`) is disarmed and not told, for nothing waits at it. Arm it again once it
    /// listens.
    ///
    /// # Errors
    /// The kernel refuses, which it does not for an epoll descriptor.
    pub fn take(&self, fired: &mut Vec<u64>) -> io::Result<()> {
        let mut events = Vec::with_capacity(BATCH);
        while wait(&self.epoll, &mut events)? {
            let listening =
                events.iter().filter(|event| !{ event.flags }.contains(EventFlags::HUP));
            fired.extend(listening.map(|event| event.data.u64()));
            events.clear();
        }
        Ok(())
    }
}

const ONCE: EventFlags = EventFlags::IN.union(EventFlags::ONESHOT);

/// Whether there is something.
fn wait(epoll: &OwnedFd, events: &mut Vec<epoll::Event>) -> io::Result<bool> {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        match epoll::wait(epoll.as_fd(), spare_capacity(events), Some(&at_once)) {
            Ok(count) => return Ok(count > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::task::Waker;

    use super::*;

    /// Two listening sockets, watched as 1 and 2.
    fn two() -> (FirstArrivals, [Arc<OwnedFd>; 2], [SocketAddr; 2]) {
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = [0, 1].map(|at: usize| sockets[at].local_addr().unwrap());
        let sockets = sockets.map(|it| Arc::new(OwnedFd::from(it)));
        let mut first = FirstArrivals::new().unwrap();
        for (key, socket) in (1..).zip(&sockets) {
            first.add(key, Arc::clone(socket)).unwrap();
        }
        (first, sockets, addresses)
    }

    fn taken(first: &FirstArrivals) -> Vec<u64> {
        let mut fired = Vec::new();
        first.take(&mut fired).unwrap();
        fired
    }

    fn is_fired(first: &mut FirstArrivals) -> bool {
        first.poll_fired(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_socket_fires_once_until_it_is_armed_again() {
        let (first, sockets, addresses) = two();
        assert!(taken(&first).is_empty());
        let _clients = [(); 2].map(|()| TcpStream::connect(addresses[1]).unwrap());
        assert_eq!(taken(&first), [2]);
        assert!(taken(&first).is_empty());
        // Something waits still, so it fires at once.
        first.rearm(2).unwrap();
        assert_eq!(taken(&first), [2]);
        for _ in 0..2 {
            drop(rustix::net::accept(&sockets[1]).unwrap());
        }
        first.rearm(2).unwrap();
        assert!(taken(&first).is_empty());
    }

    #[test]
    fn one_that_is_removed_fires_no_more() {
        let (mut first, _sockets, addresses) = two();
        first.remove(1);
        let _client = TcpStream::connect(addresses[0]).unwrap();
        first.rearm(1).unwrap();
        assert!(taken(&first).is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_told_once_of_what_comes_and_of_what_had_come() {
        let (mut first, _sockets, addresses) = two();
        first.wait().unwrap();
        let client = tokio::task::spawn_blocking(move || TcpStream::connect(addresses[0]).unwrap());
        poll_fn(|cx| first.poll_fired(cx)).await;
        assert!(!is_fired(&mut first), "nobody waits any more");
        first.wait().unwrap();
        poll_fn(|cx| first.poll_fired(cx)).await;
        assert_eq!(taken(&first), [1]);
        drop(client.await.unwrap());
    }
}
