//! Getting a listener: from the primary, by binding here, or from a socket that is there already.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::{Limits, Query, ServerId};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::connection::Local;
use super::data::Data;
use super::life::Life;
use super::shared::{Command, Granted, GrantedWay, Shared, User, Wish};
use super::{Inflow, Listen, ListenUnix};
use crate::net::bind::{self, SocketFile};
use crate::net::exclusive::ExclusiveAccept;
use crate::{Error, Result};

/// A listener before it is known by whom it will be used: by tasks or by threads.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) inflow: Arc<Inflow>,
    pub(crate) source: Source,
    pub(crate) local: Local,
    pub(crate) keep: Keep,
}

/// Where its connections come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The primary hands them over.
    Handover,
    /// A socket of this process. Where others wait for the same one (the primary shared it out; how many will
    /// have it is not known when the first asks), only a thread can wait without waking with all of them.
    Socket { socket: OwnedFd, crowd: bool },
}

/// What lives exactly as long as the listener.
#[derive(Debug)]
pub(crate) struct Keep {
    registration: Registration,
    /// Removed with the listener.
    file: Option<SocketFile>,
    user: Arc<User>,
    /// What its workers have in common.
    data: Option<Data>,
}

/// The listener's entry on the driver's side, given up on drop.
#[derive(Debug)]
enum Registration {
    Primary {
        shared: Arc<Shared>,
        server: ServerId,
    },
    Local {
        inflow: Arc<Inflow>,
    },
    /// The user has the socket itself.
    GivenAway,
}

impl Opened {
    pub(super) async fn ask_tcp(user: &Arc<User>, listen: Listen) -> Result<Self> {
        let query = listen.query().await?;
        let given = listen.to_text();
        if listen.exclusive {
            return Self::bind(user, &query, listen.data).map_err(|it| failed(given, it));
        }
        Self::ask(user, query, given, Local::Unknown).await
    }

    pub(super) async fn ask_unix(user: &Arc<User>, listen: ListenUnix) -> Result<Self> {
        let (query, path) = listen.query()?;
        let given = listen.to_text();
        if listen.exclusive {
            return Self::bind(user, &query, listen.data).map_err(|it| failed(given, it));
        }
        Self::ask(user, query, given, Local::Path(path)).await
    }

    pub(super) async fn ask(
        user: &Arc<User>,
        query: Query,
        given: String,
        local: Local,
    ) -> Result<Self> {
        // Said here as the primary would say it, for to one that finds the whole message too long it is none.
        if query.data.as_ref().is_some_and(|it| it.len() > Limits::DATA) {
            return Err(failed(given, rustix::io::Errno::MSGSIZE.into()));
        }
        let shared = user.shared();
        let server = shared.next_server();
        let inflow = Inflow::new(Arc::clone(&shared.bell));
        // From here on a drop of this future gives the listener up.
        let mut keep = Keep {
            registration: Registration::Primary { shared: Arc::clone(shared), server },
            file: None,
            user: Arc::clone(user),
            data: None,
        };
        let (answer, granted) = oneshot::channel();
        let wish = Wish { server, query, inflow: Arc::clone(&inflow), answer };
        shared.command(Command::Listen(Box::new(wish)));
        let granted = granted.await.map_err(|_driver_has_gone| Error::Disconnected)?;
        let granted = granted.map_err(|errno| failed(given, io::Error::from_raw_os_error(errno.0)));
        let Granted { way, data } = granted?;
        keep.data = data;
        let (source, local) = match way {
            GrantedWay::Handover { sockname } => {
                (Source::Handover, sockname.map_or(local, Local::Told))
            }
            GrantedWay::Shared { socket, crowd } => {
                let local = Local::of(&socket);
                (Source::Socket { socket, crowd }, local)
            }
        };
        Ok(Self { inflow, source, local, keep })
    }

    pub(super) fn bind(user: &Arc<User>, query: &Query, data: Option<Data>) -> io::Result<Self> {
        let bound = bind::bind(query)?;
        let mut opened = Self::local(user, bound.socket, bound.file);
        // It shares the listener with nobody.
        opened.keep.data = data;
        Ok(opened)
    }

    /// A socket of which the primary knows nothing. Alone, so that readiness is enough to wait for.
    pub(super) fn local(user: &Arc<User>, socket: OwnedFd, file: Option<SocketFile>) -> Self {
        let shared = user.shared();
        let inflow = Inflow::new(Arc::clone(&shared.bell));
        shared.add_local(&inflow);
        let registration = Registration::Local { inflow: Arc::clone(&inflow) };
        let keep = Keep { registration, file, user: Arc::clone(user), data: None };
        let local = Local::of(&socket);
        Self { inflow, source: Source::Socket { socket, crowd: false }, local, keep }
    }
}

impl Keep {
    /// Lets the user have the socket: it is not closed any more when the listener is dropped. The primary
    /// goes on counting this worker among its holders.
    pub(crate) fn give_away(mut self, socket: OwnedFd) -> OwnedFd {
        self.registration = Registration::GivenAway;
        // Its file, if it has one, is now the user's too.
        std::mem::forget(self.file.take());
        socket
    }

    /// What the workers of the listener have in common.
    pub(crate) fn data<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.data.as_ref().map(Data::read).transpose()
    }

    /// If the listener was closed because the worker leaves: waits until the user was told.
    pub(crate) async fn until_told(&self) {
        let life = &self.user.shared().life;
        if life.get() > Life::Serving {
            life.reached(Life::Draining).await;
        }
        // The first pass may have looked at the signal before it was given. In the second everybody else in
        // the same `select!` sees it, and this does not end before; nor does a loop that goes on after
        // errors keep its thread from what ends it.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
    }

    /// A connection is in the user's hand.
    pub(crate) fn accepted(&self) {
        self.user.shared().last_accepted.now();
    }

    /// Closes the listener; a second time does nothing.
    pub(crate) fn close(&self) {
        match &self.registration {
            Registration::Primary { shared, server } => {
                shared.command(Command::Close { server: *server });
            }
            Registration::Local { inflow } => drop(inflow.close()),
            Registration::GivenAway => {}
        }
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        self.close();
    }
}

/// A socket that can be closed while others still look at it.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    socket: Mutex<Option<Arc<T>>>,
}

impl<T> Slot<T> {
    pub(crate) fn new(socket: T) -> Arc<Self> {
        Arc::new(Self { socket: Mutex::new(Some(Arc::new(socket))) })
    }

    pub(crate) fn get(&self) -> Option<Arc<T>> {
        self.lock().clone()
    }

    /// Closes it, as soon as nobody is in the middle of a call with it.
    pub(crate) fn close(&self) {
        let socket = self.lock().take();
        drop(socket);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        // Nothing panics while it holds this lock.
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a thread wait for `socket` until `inflow` is closed.
pub(crate) fn accept_by_thread(
    socket: OwnedFd,
    inflow: &Arc<Inflow>,
) -> io::Result<Arc<Slot<OwnedFd>>> {
    rustix::io::ioctl_fionbio(&socket, true)?;
    let slot = Slot::new(socket);
    if let Some(socket) = slot.get() {
        let taker = Arc::clone(inflow);
        let thread = ExclusiveAccept::start(socket, taker)?;
        inflow.watched_by(thread.watch());
        let closing = Arc::clone(&slot);
        inflow.at_close(move || {
            drop(thread);
            closing.close();
        });
    }
    Ok(slot)
}

pub(super) fn failed(address: String, source: io::Error) -> Error {
    Error::Listen { address, source }
}
