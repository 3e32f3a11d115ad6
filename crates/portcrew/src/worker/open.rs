//! Getting a listener: from the primary, by binding here, or from a socket that is there already.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::{Address, Limits, Query, ServerId};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::connection::Local;
use super::data::Data;
use super::life::Life;
use super::shared::{Command, Granted, GrantedWay, Shared, User, Wish};
use super::{Inflow, Listen, ListenUnix};
use crate::net::bind::{self, Reuse};
use crate::net::exclusive::ExclusiveAccept;
use crate::net::refused::Call;
use crate::{Error, ListenError, Result};

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

/// What the user asked for, in the user's terms.
#[derive(Debug)]
pub(super) struct Asked {
    /// As it was written, for errors.
    text: String,
    kind: Kind,
    /// The address that it will have, as far as that is known.
    local: Local,
}

/// Which kind of socket the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tcp,
    Unix,
    Udp,
}

impl Asked {
    pub(super) const fn new(text: String, kind: Kind) -> Self {
        Self { text, kind, local: Local::Unknown }
    }
}

impl Kind {
    /// The kind of a listener. A primary tells an address for TCP only.
    const fn of(told: Option<&Local>) -> Self {
        if matches!(told, Some(Local::Told(_) | Local::Tcp(_))) { Self::Tcp } else { Self::Unix }
    }
}

impl Opened {
    pub(super) async fn ask_tcp(user: &Arc<User>, listen: Listen) -> Result<Self> {
        let query = listen.query().await?;
        let asked = Asked::new(listen.to_text(), Kind::Tcp);
        match listen.own() {
            Some(reuse) => Self::bind(user, &query, reuse, listen.data, asked),
            None => Self::ask(user, query, asked).await,
        }
    }

    pub(super) async fn ask_unix(user: &Arc<User>, listen: ListenUnix) -> Result<Self> {
        let (query, local) = listen.query()?;
        let asked = Asked { local: local.clone(), ..Asked::new(listen.to_text(), Kind::Unix) };
        if listen.is_exclusive() {
            let opened = Self::bind(user, &query, Reuse::Nobody, listen.data, asked)?;
            return Ok(Self { local, ..opened });
        }
        Self::ask(user, query, asked).await
    }

    pub(super) async fn ask(user: &Arc<User>, query: Query, asked: Asked) -> Result<Self> {
        let Asked { text, kind, local } = asked;
        let address = query.address.clone();
        let failed = |refused| Error::Listen(ListenError::new(text, &address, refused));
        // Said here as the primary would say it, for to one that finds the whole message too long it is none.
        if query.data.as_ref().is_some_and(|it| it.len() > Limits::DATA) {
            return Err(failed(Call::Bind.refused(rustix::io::Errno::MSGSIZE)));
        }
        let shared = user.shared();
        let server = shared.next_server();
        let inflow = Inflow::telling(Arc::clone(&shared.bell), &shared.endings);
        // From here on a drop of this future gives the listener up.
        let mut keep = Keep {
            registration: Registration::Primary { shared: Arc::clone(shared), server },
            user: Arc::clone(user),
            data: None,
        };
        let (answer, granted) = oneshot::channel();
        let wish = Wish { server, query, inflow: Arc::clone(&inflow), answer };
        shared.command(Command::Listen(Box::new(wish)));
        let granted = granted.await.map_err(|_driver_has_gone| Error::Disconnected)?;
        let (way, data) = match granted {
            Ok(Granted { way, data }) => (way, data),
            Err(refused) => return Err(failed(refused)),
        };
        keep.data = data;
        let (source, told) = match way {
            GrantedWay::Handover { sockname } => (Source::Handover, sockname.map(Local::Told)),
            GrantedWay::Shared { socket, crowd } => {
                let told = Local::of(&socket);
                (Source::Socket { socket, crowd }, Some(told))
            }
        };
        // Only who has the descriptor can tell what it is.
        if matches!(address, Address::Fd { .. }) && kind != Kind::of(told.as_ref()) {
            return Err(failed(Call::Bind.refused(rustix::io::Errno::INVAL)));
        }
        // The kernel remembers another path than the one that was asked for.
        let local = if matches!(local, Local::Path(_)) { local } else { told.unwrap_or(local) };
        Ok(Self { inflow, source, local, keep })
    }

    pub(super) fn bind(
        user: &Arc<User>,
        query: &Query,
        reuse: Reuse,
        data: Option<Data>,
        asked: Asked,
    ) -> Result<Self> {
        let bound = bind::bind_reusing(query, reuse).map_err(|mut refused| {
            let errno = bind::errno_of(&refused.source, &query.address);
            refused.source = io::Error::from_raw_os_error(errno.0);
            ListenError::new(asked.text, &query.address, refused)
        })?;
        let mut opened = Self::local(user, bound.socket);
        if let Some(file) = bound.file {
            opened.inflow.own(file);
        }
        // It shares the listener with nobody.
        opened.keep.data = data;
        Ok(opened)
    }

    /// A socket of which the primary knows nothing. Alone, so that readiness is enough to wait for.
    pub(super) fn local(user: &Arc<User>, socket: OwnedFd) -> Self {
        let shared = user.shared();
        let inflow = Inflow::new(Arc::clone(&shared.bell));
        shared.add_local(&inflow);
        let registration = Registration::Local { inflow: Arc::clone(&inflow) };
        let keep = Keep { registration, user: Arc::clone(user), data: None };
        let local = Local::of(&socket);
        Self { inflow, source: Source::Socket { socket, crowd: false }, local, keep }
    }
}

impl Keep {
    /// Lets the user have the socket: it is not closed any more when the listener is dropped. The primary
    /// goes on counting this worker among its holders.
    pub(crate) fn give_away(mut self, socket: OwnedFd) -> OwnedFd {
        if let Registration::Local { inflow } = &self.registration {
            // Its file, if it has one, is now the user's too.
            inflow.disown_file();
        }
        self.registration = Registration::GivenAway;
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

    /// Puts `new` in the place of `old`, if that is still what is here.
    pub(crate) fn replace(&self, old: &Arc<T>, new: T) {
        let mut socket = self.lock();
        if socket.as_ref().is_some_and(|it| Arc::ptr_eq(it, old)) {
            *socket = Some(Arc::new(new));
        }
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
