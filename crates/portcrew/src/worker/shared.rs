//! What the driver and the handles of a worker share.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use portcrew_core::{Query, ServerId, SockName, WorkerId};
use tokio::sync::oneshot;

use super::Inflow;
use super::data::Data;
use super::driver::Driver;
use super::life::{Life, LifeCell};
use super::settling::LastAccepted;
use super::told::Endings;
use crate::link::{Arrivals, Bell, Mailbox};
use crate::net::refused::Refused;
use crate::{Error, Result};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) id: WorkerId,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) arrivals: Arrivals,
    pub(crate) bell: Arc<Bell>,
    pub(crate) life: LifeCell,
    pub(super) last_accepted: LastAccepted,
    pub(super) endings: Arc<Endings>,
    commands: Mutex<Commands>,
    /// The descriptors, until the driver is started.
    ends: Mutex<Option<Ends>>,
    /// Listeners of which the primary knows nothing. They close with the others.
    locals: Mutex<Vec<Weak<Inflow>>>,
    next_server: AtomicU32,
    /// The driver is started, so that whoever sends need not look whether it is.
    started: AtomicBool,
    finished: AtomicBool,
}

/// What the process was given at its start.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) channel: OwnedFd,
    pub(crate) lane: Option<OwnedFd>,
    /// How long this process may live without its primary. `None` where it is not the worker's alone: in tests.
    pub(crate) grace: Option<Duration>,
}

#[derive(Debug, Default)]
struct Commands {
    list: Vec<Command>,
    closed: bool,
}

/// One wish of the user.
#[derive(Debug)]
pub(super) enum Command {
    /// Ask the primary for a listener.
    Listen(Box<Wish>),
    /// Give one up.
    Close { server: ServerId },
    /// Leave.
    Leave,
}

#[derive(Debug)]
pub(super) struct Wish {
    pub(super) server: ServerId,
    pub(super) query: Query,
    pub(super) inflow: Arc<Inflow>,
    pub(super) answer: oneshot::Sender<Result<Granted, Refused>>,
}

/// The primary's yes.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) way: GrantedWay,
    /// What the workers of the listener have in common.
    pub(super) data: Option<Data>,
}

/// How the connections will come.
#[derive(Debug)]
pub(super) enum GrantedWay {
    /// It hands connections over.
    Handover { sockname: Option<SockName> },
    /// It gave the socket; it listens already.
    Shared {
        socket: OwnedFd,
        /// So many wait at it that a plain wait would wake a herd.
        crowd: bool,
    },
}

/// Held by everything through which a user can still do something. When the last is dropped, a worker that
/// was told to leave has nothing more to wait for.
#[derive(Debug)]
pub(crate) struct User {
    shared: Arc<Shared>,
}

impl Shared {
    pub(crate) fn new(id: WorkerId, ends: Ends) -> Arc<Self> {
        let bell = Arc::new(Bell::default());
        let endings = Endings::new(Arc::clone(&bell));
        if ends.lane.is_none() {
            // No other way leads to somebody who counts.
            endings.close();
        }
        Arc::new(Self {
            id,
            mailbox: Mailbox::new(Arc::clone(&bell)),
            arrivals: Arrivals::default(),
            bell,
            life: LifeCell::default(),
            last_accepted: LastAccepted::default(),
            endings,
            commands: Mutex::default(),
            ends: Mutex::new(Some(ends)),
            locals: Mutex::default(),
            next_server: AtomicU32::new(0),
            started: AtomicBool::new(false),
            finished: AtomicBool::new(false),
        })
    }

    /// Starts the driver in the current runtime, once.
    pub(crate) fn start(self: &Arc<Self>) -> Result<()> {
        if self.started.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut slot = lock(&self.ends);
        if slot.is_none() {
            return Ok(());
        }
        let doing = "drive a worker's channel";
        let no_runtime = |error| Error::Io { doing, source: std::io::Error::other(error) };
        let runtime = tokio::runtime::Handle::try_current().map_err(no_runtime)?;
        if let Some(ends) = slot.take() {
            drop(slot);
            let driver = Driver::new(Arc::clone(self), ends).map_err(|source| {
                self.end();
                Error::Io { doing, source }
            })?;
            runtime.spawn(driver);
            self.started.store(true, Ordering::Release);
        }
        Ok(())
    }

    pub(super) fn command(&self, command: Command) {
        let mut commands = lock(&self.commands);
        if !commands.closed {
            commands.list.push(command);
            drop(commands);
            self.bell.ring();
        }
    }

    pub(super) fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut lock(&self.commands).list)
    }

    pub(super) fn next_server(&self) -> ServerId {
        ServerId(self.next_server.fetch_add(1, Ordering::Relaxed))
    }

    /// The user has no connection open any more, or will not wait for any.
    pub(crate) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
        self.bell.ring();
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Remembers a listener of which the primary knows nothing.
    pub(super) fn add_local(&self, inflow: &Arc<Inflow>) {
        let mut locals = lock(&self.locals);
        locals.retain(|it| it.strong_count() > 0);
        locals.push(Arc::downgrade(inflow));
        drop(locals);
        // After it is on the list: whoever empties the list has moved on before.
        if self.life.get() > Life::Serving {
            self.close_locals();
        }
    }

    pub(super) fn close_locals(&self) {
        let locals = std::mem::take(&mut *lock(&self.locals));
        for inflow in locals.iter().filter_map(Weak::upgrade) {
            inflow.close();
        }
    }

    /// There is no channel any more.
    pub(super) fn end(&self) {
        let mut commands = lock(&self.commands);
        commands.closed = true;
        let unheard = std::mem::take(&mut commands.list);
        drop(commands);
        // Whoever waits for one of these learns it by the drop of its answer.
        drop(unheard);
        self.life.advance(Life::Draining);
        self.close_locals();
        self.life.advance(Life::Disconnected);
        self.mailbox.close();
        self.arrivals.close();
        self.endings.close();
    }
}

impl User {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.shared.finish();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in this file panics while it holds a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
