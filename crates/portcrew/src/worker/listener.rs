//! The worker's listener: one type for every way in which connections come.

use std::future::{Future, poll_fn};
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use portcrew_ipc::reactor::Listening;
use serde::de::DeserializeOwned;
use tokio::net::{TcpStream, UnixStream};

use super::connection::{Connection, Local};
use super::inflow::{Inflow, Place};
use super::open::{Keep, Opened, Slot, Source, accept_by_thread};
use super::revive::{self, Revival};
use super::told::{Open, Tells};
use crate::link::Ticket;
use crate::net::accept::accept;
use crate::{Error, Result};

/// A listener of this worker. By default for TCP; see also [`UnixListener`].
///
/// Whether the primary accepts and hands over, or the workers accept from one socket, is the primary's
/// policy and makes no difference here. A connection counts as taken when [`accept`](Self::accept) returns
/// it: what nobody has accepted when the listener is closed or the worker dies goes to another worker.
///
/// There is no maximum of connections here, Node's `maxConnections`: only who has a stream knows when it ends.
/// A server that wants one takes a permit of a semaphore before it accepts, and lets each connection keep its
/// permit. Under round robin what waits meanwhile waits in part at this worker
/// ([`Limits::lane_window`](portcrew_core::Limits::lane_window)), in part at the primary.
///
/// It is closed when the worker leaves. Accepting then ends: `accept` with an error, the
/// [`Stream`](futures_core::Stream) with `None`, axum's trait by staying pending, because there
/// [`draining`](crate::Worker::draining) ends the server. Dropping it closes it.
#[derive(Debug)]
pub struct Listener<S: Connection = TcpStream> {
    inflow: Arc<Inflow>,
    way: Way,
    local: Local,
    keep: Keep,
    revival: Revival,
    gives: PhantomData<fn() -> S>,
}

/// A listener on a path of the file system.
pub type UnixListener = Listener<UnixStream>;

#[derive(Debug)]
enum Way {
    /// Everything comes by the inflow.
    Handover,
    /// As well as by this socket.
    Ready(Arc<Slot<Listening>>),
    /// A thread accepts from it into the inflow.
    Thread(Arc<Slot<OwnedFd>>),
}

/// A connection with its peer's address and the guard that tells its end, or why there is none; `None` for the end.
type Next<S> = Option<io::Result<(S, <S as Connection>::Addr, Open)>>;

impl<S: Connection> Listener<S> {
    pub(crate) fn from_opened(opened: Opened) -> Result<Self> {
        let Opened { inflow, source, local, keep } = opened;
        let way = match source {
            Source::Handover => Way::Handover,
            Source::Socket { socket, crowd: false } => {
                Way::ready(socket, &inflow).map_err(Error::io("wait for a listening socket"))?
            }
            Source::Socket { socket, crowd: true } => {
                let slot = accept_by_thread(socket, &inflow);
                Way::Thread(slot.map_err(Error::io("wait for a shared socket"))?)
            }
        };
        Ok(Self { inflow, way, local, keep, revival: Revival::default(), gives: PhantomData })
    }

    /// The next connection and its peer's address. Any number of tasks may wait at the same time.
    ///
    /// # Errors
    ///
    /// Those of `accept(2)`, and `NotConnected` once the listener is closed: leave the loop then. A Unix-domain socket
    /// that another worker has shut down is an error once, and closed. When the
    /// worker leaves, whoever waits for [`draining`](crate::Worker::draining) in the same `select!` hears
    /// that first.
    ///
    /// # Cancel safety
    ///
    /// No connection is lost when the future is dropped.
    pub async fn accept(&self) -> io::Result<(S, S::Addr)> {
        self.accept_as(Tells::No).await.map(plain)
    }

    /// As [`accept`](Self::accept), and the primary is told when the connection ends: when the [`Open`] that comes with
    /// it is dropped, which is to be kept as long.
    ///
    /// With this the policy [`LeastConnections`](crate::Policy::LeastConnections) counts a worker's connections where
    /// the kernel does not tell: on Unix-domain sockets, and where it has no `sock_diag`. Elsewhere, and under other
    /// policies, it changes nothing and costs a message for each connection.
    ///
    /// ```
    /// # use portcrew::UnixListener;
    /// async fn echo(listener: UnixListener) -> std::io::Result<()> {
    ///     loop {
    ///         let (mut stream, _peer, open) = listener.accept_told().await?;
    ///         tokio::spawn(async move {
    ///             let _open = open; // As long as this task serves the connection.
    ///             let (mut from, mut to) = stream.split();
    ///             tokio::io::copy(&mut from, &mut to).await
    ///         });
    ///     }
    /// }
    /// ```
    ///
    /// It is to be used for all connections of a worker, or for none: the primary cannot count a worker that took one
    /// plainly, and says so once ([`Event::Scheduling`](crate::Event::Scheduling)). A connection of a Unix-domain socket
    /// is answered before anybody has it, so its end is promised only as long as nothing but this was used on the
    /// listener; one that was promised so and then goes to the very first plain `accept` counts as ended at once.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    ///
    /// # Cancel safety
    ///
    /// No connection is lost when the future is dropped; one whose end was promised waits for the next call.
    pub async fn accept_told(&self) -> io::Result<(S, S::Addr, Open)> {
        self.accept_as(Tells::Yes).await
    }

    async fn accept_as(&self, tells: Tells) -> io::Result<(S, S::Addr, Open)> {
        if let Some(accepted) = self.next(tells).await {
            self.keep.accepted();
            return accepted;
        }
        self.keep.until_told().await;
        Err(closed())
    }

    async fn next(&self, tells: Tells) -> Next<S> {
        loop {
            let next = self.next_of_both(tells).await;
            match (&next, &self.way) {
                (Some(Err(error)), Way::Ready(slot)) if revive::is_shut(error) => {
                    if let Some(next) = self.until_revived(slot, tells).await {
                        return next;
                    }
                }
                _ => return next,
            }
        }
    }

    /// Waits for a socket that was shut down, and for what comes by the inflow meanwhile.
    async fn until_revived(&self, slot: &Arc<Slot<Listening>>, tells: Tells) -> Option<Next<S>> {
        let mut place = Place::new(&self.inflow);
        let mut revived = pin!(self.revival.wait(slot));
        poll_fn(|cx| {
            if let Poll::Ready(next) = poll_inflow(&self.inflow, cx, Some(place.ticket()), tells) {
                return Poll::Ready(Some(next));
            }
            revived
                .as_mut()
                .poll(cx)
                .map(|outcome| Some(Some(Err(self.not_revived(outcome.err()?)))))
        })
        .await
    }

    /// That it was shut down, for the user. One that never listens again is closed with it.
    fn not_revived(&self, error: io::Error) -> io::Error {
        if self.own().is_none() {
            self.close();
        }
        error
    }

    async fn next_of_both(&self, tells: Tells) -> Next<S> {
        let mut place = Place::new(&self.inflow);
        let Some(own) = self.own() else {
            return poll_fn(|cx| poll_inflow(&self.inflow, cx, Some(place.ticket()), tells)).await;
        };
        let mut accepting = pin!(own.accept(accept));
        poll_fn(|cx| {
            if let Poll::Ready(next) = poll_inflow(&self.inflow, cx, Some(place.ticket()), tells) {
                return Poll::Ready(next);
            }
            accepting.as_mut().poll(cx).map(own_accepted)
        })
        .await
    }

    /// As [`accept`](Self::accept), for one caller at a time: only the last one is woken.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(S, S::Addr)>> {
        self.poll_open(cx).map(|next| next.unwrap_or_else(|| Err(closed())).map(plain))
    }

    fn poll_open(&self, cx: &mut Context<'_>) -> Poll<Next<S>> {
        let next = ready!(self.poll_sources(cx));
        if matches!(next, Some(Ok(_))) {
            self.keep.accepted();
        }
        Poll::Ready(next)
    }

    fn poll_sources(&self, cx: &mut Context<'_>) -> Poll<Next<S>> {
        if let Poll::Ready(next) = poll_inflow(&self.inflow, cx, None, Tells::No) {
            return Poll::Ready(next);
        }
        let Way::Ready(slot) = &self.way else {
            return Poll::Pending;
        };
        loop {
            if let Err(error) = ready!(self.revival.poll(cx)) {
                return Poll::Ready(Some(Err(self.not_revived(error))));
            }
            let Some(own) = slot.get() else {
                return Poll::Pending;
            };
            match ready!(own.poll_accept(cx, accept)) {
                Err(error) if revive::is_shut(&error) => self.revival.begin(slot),
                accepted => return Poll::Ready(own_accepted(accepted)),
            }
        }
    }

    /// The address that it is bound to. With port 0 all workers got the same one.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` when the primary did not tell, which only a foreign one fails to do.
    pub fn local_addr(&self) -> io::Result<S::Addr> {
        S::local(&self.local)
    }

    /// What the workers of this listener have in common: the first [data](crate::Listen::data) that any of them
    /// brought. None when no worker had brought any before this one listened, which cannot be for one that did.
    ///
    /// # Errors
    ///
    /// [`Error::Message`](crate::Error::Message) when it cannot be read as a `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.keep.data()
    }

    /// The listening socket itself, for a server that wants to accept on its own, such as actix's. It is in
    /// non-blocking mode and must stay so: the mode is that of every worker. The worker's leaving does not
    /// close it any more.
    ///
    /// Best called before anything is accepted here: a connection that was already taken from the socket for an
    /// [`accept`](Self::accept) that was dropped, or for a poll that was not repeated, is closed unseen. What the primary
    /// hands over beside the socket goes to another worker, now and later.
    ///
    /// # Errors
    ///
    /// `Unsupported` under round robin, where only the primary has the socket: use the policy `shared`, or
    /// listen [`exclusive`](crate::Listen::exclusive)ly.
    pub fn into_std(self) -> io::Result<S::StdListener> {
        let socket = match &self.way {
            Way::Handover => {
                let reason = "only the primary has this socket: the policy is round-robin";
                return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
            }
            Way::Ready(slot) => slot.get().ok_or_else(closed)?.as_fd().try_clone_to_owned(),
            Way::Thread(slot) => slot.get().ok_or_else(closed)?.try_clone(),
        }?;
        let socket = self.keep.give_away(socket);
        // Nobody accepts from it here any more, neither from the socket nor what the primary hands over.
        self.inflow.give_up();
        Ok(socket.into())
    }

    /// Closes it: nothing more is accepted. A second time does nothing.
    pub fn close(&self) {
        self.keep.close();
    }

    /// Whether it is closed and nothing more can come.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inflow.is_closed()
    }

    fn own(&self) -> Option<Arc<Listening>> {
        match &self.way {
            Way::Ready(slot) => slot.get(),
            Way::Handover | Way::Thread(_) => None,
        }
    }
}

impl<S: Connection> futures_core::Stream for Listener<S> {
    type Item = io::Result<S>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_open(cx).map(|next| Some(next?.map(|(stream, _peer, _open)| stream)))
    }
}

impl Way {
    fn ready(socket: OwnedFd, inflow: &Inflow) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let slot = Slot::new(Listening::new(socket)?);
        let closing = Arc::clone(&slot);
        inflow.at_close(move || closing.close());
        Ok(Self::Ready(slot))
    }
}

fn poll_inflow<S: Connection>(
    inflow: &Inflow,
    cx: &mut Context<'_>,
    mut ticket: Option<&mut Option<Ticket>>,
    tells: Tells,
) -> Poll<Next<S>> {
    loop {
        let next = ready!(inflow.poll_next(cx, ticket.as_deref_mut(), tells));
        let Some((socket, open)) = next else {
            return Poll::Ready(None);
        };
        let stream = match S::open(socket) {
            Ok(stream) => stream,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        match stream.peer() {
            Ok(peer) => return Poll::Ready(Some(Ok((stream, peer, open)))),
            // The client has gone meanwhile; accept(2) would not have shown it either.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            Err(error) => return Poll::Ready(Some(Err(error))),
        }
    }
}

/// A connection that nobody handed over, so nobody counts it.
fn own_accepted<S: Connection>(accepted: io::Result<(OwnedFd, Option<SocketAddr>)>) -> Next<S> {
    let accepted = accepted.and_then(|(socket, peer)| S::accepted(socket, peer));
    Some(accepted.map(|(stream, peer)| (stream, peer, Open::uncounted())))
}

/// For who does not tell: what was promised all the same counts as ended from here on.
fn plain<S, A>((stream, peer, _open): (S, A, Open)) -> (S, A) {
    (stream, peer)
}

/// What accepting from a closed listener gives.
pub(crate) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the listener is closed")
}
