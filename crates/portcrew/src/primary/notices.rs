//! From the machine's notices to what users and the crew are told.

use std::io;

use portcrew_core::primary::{Notice, Scheduling};
use portcrew_core::{Address, Family, ListenerId, Query, WorkerId};

use super::State;
use super::driver::Driver;
use super::link::Link;
use crate::{AddressType, Event, ListenAddress};

impl Driver {
    /// In the order of cause and effect: the user hears what happened before what the crew makes of it.
    pub(super) fn notify(&mut self, notice: &Notice) {
        self.tell_user(notice);
        self.crew_hears(notice);
    }

    fn tell_user(&mut self, notice: &Notice) {
        match *notice {
            Notice::Forked { worker } => {
                let process = self.registry.lock().get(&worker).cloned();
                if let Some(process) = process {
                    self.events.push(Event::Fork { worker, process });
                }
            }
            Notice::Online { worker } => {
                self.set_state(worker, State::Online);
                self.events.push(Event::Online { worker });
            }
            Notice::Listening { worker, ref query, port, first: _ } => {
                self.set_state(worker, State::Listening);
                let address = address_of(query, Some(port));
                self.events.push(Event::Listening { worker, address });
            }
            Notice::SelfBound { worker, ref query, port } => {
                let address = address_of(query, Some(port));
                self.events.push(Event::SelfBound { worker, address });
            }
            Notice::ListenFailed { worker, ref query, errno, ref lacks } => {
                let error = io::Error::from_raw_os_error(errno.0);
                let address = address_of(query, None);
                let lacks = lacks.clone();
                self.events.push(Event::ListenFailed { worker, address, error, lacks });
            }
            // It had no channel that could have ended: its process has.
            Notice::Disconnected { worker, planned } if self.is_mute(worker) => {
                self.ended(worker, State::Dead, planned);
            }
            Notice::Disconnected { worker, planned } => {
                let planned = self.ended(worker, State::Disconnected, planned);
                self.events.push(Event::Disconnect { worker, planned });
            }
            Notice::Exited { worker, status: _, planned } => self.exited(worker, planned),
            Notice::DiedInside { worker, open, planned } => {
                self.events.push(Event::DiedInside { worker, open, planned });
            }
            Notice::Misbehaved { worker, .. } => self.events.push(Event::Misbehaved { worker }),
            Notice::AcceptPaused { .. } => self.accept_paused(),
            Notice::Bound { listener, .. } => self.bound(listener),
            Notice::Scheduling { listener, ref news } => self.scheduling(listener, news.clone()),
            // A notice of a newer core.
            _ => {}
        }
    }

    fn is_mute(&self, worker: WorkerId) -> bool {
        self.links.get(&worker).is_some_and(Link::is_mute)
    }

    /// Workers announce their listeners themselves, with the port that they got; of the others nobody else tells.
    fn bound(&mut self, listener: ListenerId) {
        let is_own = self.machine.kept().any(|it| it == listener);
        if let Some(socket) = self.sockets.get(listener).filter(|_| is_own) {
            let address = address_of(&socket.query, socket.port);
            self.events.push(Event::Opened { listener, address });
        }
    }

    fn exited(&mut self, worker: WorkerId, planned: bool) {
        let planned = self.ended(worker, State::Dead, planned);
        let exit = self.links.get(&worker).and_then(|it| it.shared.status().exit);
        if let Some(status) = exit {
            self.events.push(Event::Exit { worker, status, planned });
        }
    }

    fn scheduling(&mut self, listener: ListenerId, news: Scheduling) {
        if let Some(socket) = self.sockets.get(listener) {
            let address = address_of(&socket.query, socket.port);
            self.events.push(Event::Scheduling { listener, address, news });
        }
    }

    fn accept_paused(&mut self) {
        let source = io::Error::other("no descriptor or memory is left; trying again");
        let error = crate::Error::Io { doing: "accept a connection", source };
        self.events.push(Event::Error { worker: None, error });
    }

    fn set_state(&self, worker: WorkerId, state: State) {
        let Some(link) = self.links.get(&worker) else {
            return;
        };
        let mut status = link.shared.status();
        // What it said before its death may be read after it.
        if status.exit.is_none() {
            status.state = state;
        }
    }

    /// The last of disconnect and exit names the state. Whether it was planned is fixed by the first of them, if not
    /// before by the wish itself; the answer is what everybody is told.
    fn ended(&mut self, worker: WorkerId, state: State, planned: bool) -> bool {
        let mut told = planned;
        if let Some(link) = self.links.get(&worker) {
            let mut status = link.shared.status();
            status.state = state;
            told = *status.planned.get_or_insert(planned);
            if state == State::Disconnected {
                status.connected = false;
                drop(status);
                link.shared.mailbox.close();
            }
        }
        // Whoever hears of the last of the two finds it gone from the table, as in Node.
        if self.machine.life(worker).is_none() {
            self.registry.lock().remove(&worker);
        }
        self.ended.push(worker);
        told
    }
}

pub(super) fn address_of(query: &Query, port: Option<u16>) -> ListenAddress {
    let tcp = |family: &Family| match family {
        Family::V4 => AddressType::Tcp4,
        Family::V6 => AddressType::Tcp6,
    };
    let udp = |family: &Family| match family {
        Family::V4 => AddressType::Udp4,
        Family::V6 => AddressType::Udp6,
    };
    match &query.address {
        Address::Tcp { host, port: asked, family, .. } => ListenAddress {
            address: host.clone(),
            port: Some(port.unwrap_or(*asked)),
            address_type: tcp(family),
            fd: None,
        },
        Address::Unix { path, .. } => ListenAddress {
            address: Some(path.clone()),
            port: None,
            address_type: AddressType::Unix,
            fd: None,
        },
        Address::Fd { fd } => {
            ListenAddress { address: None, port, address_type: AddressType::Fd, fd: Some(*fd) }
        }
        Address::Udp { host, port: asked, family, fd, .. } => ListenAddress {
            address: host.clone(),
            port: Some(port.unwrap_or(*asked)),
            address_type: udp(family),
            fd: *fd,
        },
    }
}
