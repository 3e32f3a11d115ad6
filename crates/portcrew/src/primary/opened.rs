//! Listeners that the primary opens by itself, and which of their sockets a worker is started with.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use portcrew_core::ListenerId;
use portcrew_core::primary::Event;
use portcrew_core::scheduler::Seat;
use rustix::net::{AddressFamily, getsockname};

use super::driver::Driver;
use super::inherited::{self, Given};
use super::sockets::Socket;
use crate::settings::MOST_LISTENERS;
use crate::{Error, ListenError, ListenOn, Result, Settings};

/// One of them.
#[derive(Debug)]
pub(super) struct Opened {
    listener: ListenerId,
    name: Option<String>,
    family: &'static str,
}

/// Whether `accept` waits. It is a property of the socket and not of a descriptor: all who have it have the same, so it
/// is set once, before anybody has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As systemd's do, until a program says otherwise.
    Waits,
    /// For programs that expect it and do not say so.
    NeverWaits,
}

impl Mode {
    pub(super) fn set(self, socket: impl AsFd) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(socket, self == Self::NeverWaits)?)
    }
}

impl Driver {
    /// Binds all that the settings name, before anything is started.
    ///
    /// # Errors
    ///
    /// The first that cannot be had, and an argument that asks for none of them. What was bound before goes with the
    /// driver.
    pub(super) fn open(&mut self, settings: &Settings) -> Result<()> {
        let mode = if settings.listen_nonblocking { Mode::NeverWaits } else { Mode::Waits };
        self.mode = (!settings.listen.is_empty()).then_some(mode);
        let mut ports = 0;
        for wanted in &settings.listen {
            for mut query in wanted.queries()? {
                // Each port that the kernel chooses is a listener of its own.
                (query.index, ports) = (ports, ports + 1);
                self.open_one(wanted, query)?;
            }
        }
        if !self.opened.is_empty() {
            // No worker has a seat yet: whichever it is, they are as many.
            inherited::filled(&settings.args, &self.given(None)?)?;
        }
        Ok(())
    }

    fn open_one(&mut self, wanted: &ListenOn, query: portcrew_core::Query) -> Result<()> {
        if self.opened.len() >= MOST_LISTENERS {
            return Err(Error::Setting { setting: "listen", reason: Settings::TOO_MANY_LISTENERS });
        }
        let address = query.address.clone();
        self.refused = None;
        self.tell(Event::Open { query });
        let Some(listener) = self.machine.kept().nth(self.opened.len()) else {
            let given = wanted.to_string();
            return Err(match self.refused.take() {
                Some(refused) => ListenError::new(given, &address, refused).of_primary().into(),
                // Nobody was asked: there is one of this address.
                None => Error::Address {
                    given,
                    reason: "this address is there already; name each once",
                },
            });
        };
        let family = self.hand_down(listener).map_err(Error::io("hand a socket down"))?;
        self.watch_shared(listener);
        self.opened.push(Opened {
            listener,
            name: wanted.name().map(str::to_owned),
            family: einhorns_name(family),
        });
        Ok(())
    }

    /// Makes it what programs expect that inherit a socket. Its address family.
    fn hand_down(&self, listener: ListenerId) -> io::Result<AddressFamily> {
        let socket = self.sockets.get(listener).ok_or(io::ErrorKind::NotFound)?;
        self.mode.map_or(Ok(()), |mode| mode.set(socket))?;
        Ok(getsockname(socket)?.address_family())
    }

    /// All that workers have from their start.
    pub(super) fn opened(&self) -> impl Iterator<Item = ListenerId> + '_ {
        self.opened.iter().map(|it| it.listener)
    }

    /// The number that a listener has in each worker; none of one that workers ask for.
    pub(super) fn descriptor(&self, listener: ListenerId) -> Option<i32> {
        let at = self.opened.iter().position(|it| it.listener == listener)?;
        i32::try_from(inherited::FIRST + at).ok()
    }

    /// The sockets that a worker of this seat is started with, in their order; `None` is any seat. None at all where the
    /// settings name none.
    ///
    /// # Errors
    ///
    /// They are closed already: the crew has finished. Or that of this place could not be made.
    pub(super) fn given(&self, seat: Option<Seat>) -> Result<Vec<Given>> {
        let given = self.opened.iter().map(|it| {
            let socket = match seat.filter(|_| self.machine.is_spread(it.listener)) {
                Some(seat) => self.member(seat, it.listener)?,
                None => self.sockets.get(it.listener).map(Socket::share),
            };
            let socket = socket.ok_or(Error::Disconnected)?;
            Ok(Given { name: it.name.clone(), family: it.family, socket: Arc::clone(&socket) })
        });
        given.collect()
    }
}

impl Driver {
    /// The socket of this place. A worker may have it already, whose successor is to be started.
    fn member(&self, seat: Seat, listener: ListenerId) -> Result<Option<Arc<OwnedFd>>> {
        let Some(member) = self.machine.member_at(seat, listener) else {
            let source = io::Error::other("no descriptor or memory is left for it");
            return Err(Error::io("make a listening socket for a worker")(source));
        };
        Ok(self.spread.share(listener, member))
    }
}

/// As Einhorn writes it.
const fn einhorns_name(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::INET => "AF_INET",
        AddressFamily::INET6 => "AF_INET6",
        _ => "AF_UNIX",
    }
}
