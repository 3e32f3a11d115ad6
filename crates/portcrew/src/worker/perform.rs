//! Performing what the machine answers, one action at a time.

use std::io;
use std::os::fd::OwnedFd;

use portcrew_core::worker::{Action, Event};
use portcrew_core::{Address, ConnId, Errno, Query, ServerId};
use portcrew_ipc::message::Packet;
use socket2::Socket;

use super::data::Data;
use super::driver::Driver;
use super::life::Life;
use super::shared::{Granted, GrantedWay};
use super::{Tells, udp};
use crate::net::bind::BACKLOG;
use crate::net::exclusive::PLAIN_WAITERS;
use crate::net::refused::{Call, Refused};
use crate::wire::encode_from_worker;

impl Driver {
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Send { seq, message } => {
                let packet = Packet::Cluster(encode_from_worker(seq, &message));
                // An end that takes no more is met by the next read.
                let _ = self.talk.queue(&packet, None);
            }
            Action::AnswerLane { seq, verdict } => self.handover.answer(seq, verdict),
            Action::TellEnd { seq } => self.handover.tell_end(seq),
            Action::Hold { server, conn } => self.hold(server, conn),
            Action::Deliver { server, conn } => self.deliver(server, conn),
            Action::Drop { conn } => drop(self.conns.take(conn)),
            Action::Listening { server, sockname, data } => {
                let way = GrantedWay::Handover { sockname };
                self.grant(server, Ok(Granted { way, data: data.and_then(Data::received) }));
            }
            Action::SetUpShared { server, data } => {
                self.set_up_shared(server, data.and_then(Data::received));
            }
            Action::ListenFailed { server, errno } => {
                let call = self.servers.get(&server).map_or(Call::Bind, |it| it.call);
                let refused = call.refused(io::Error::from_raw_os_error(errno.0));
                self.grant(server, Err(refused));
                self.close(server);
            }
            Action::Closed { server } => self.close(server),
            Action::Drain => {
                self.shared.life.advance(Life::Leaving);
                self.shared.close_locals();
                self.leaving.drain = true;
            }
            Action::CloseChannel => {
                self.leaving.close = true;
                self.leaving.closes = true;
            }
            // The driver ends, and tells everybody as it is dropped.
            Action::Disconnected { planned: _ } => {
                self.leaving.ended = true;
                self.mind_the_end_of_the_primary();
            }
        }
    }

    fn hold(&mut self, server: ServerId, conn: ConnId) {
        let Some(socket) = self.conns.take(conn) else {
            return;
        };
        if let Some(server) = self.servers.get(&server) {
            server.inflow.hold(socket, conn);
        }
    }

    fn deliver(&mut self, server: ServerId, conn: ConnId) {
        match (self.conns.take(conn), self.servers.get(&server)) {
            (Some(socket), Some(server)) => server.inflow.deliver(socket, Some(conn)),
            // It is held there already.
            (None, Some(_)) => self.handover.releases.push((server, conn)),
            // The machine delivers to open listeners only.
            (_, None) => {}
        }
    }

    /// Tells the user about the listener. One that waits no longer has given it up in the same moment.
    fn grant(&mut self, server: ServerId, outcome: Result<Granted, Refused>) {
        let answer = self.servers.get_mut(&server).and_then(|it| it.answer.take());
        if let Some(answer) = answer {
            let _ = answer.send(outcome);
        }
    }

    fn set_up_shared(&mut self, server: ServerId, data: Option<Data>) {
        let Some(it) = self.servers.get_mut(&server) else {
            return;
        };
        let socket = self.socket.take().ok_or(Errno::TOO_MANY);
        let ready = socket.and_then(|socket| {
            let port = match it.query.address.is_udp() {
                true => udp::set_up(&socket, &it.query).map_err(Refused::from),
                false => set_up(&socket, &it.query),
            };
            match port {
                Ok(port) => Ok((socket, port)),
                Err(refused) => {
                    it.call = refused.call;
                    Err(errno_of(&refused.source))
                }
            }
        });
        let outcome = match ready {
            Ok((socket, port)) => {
                // A Node primary does not say how many there are: it has its herd anyway.
                let crowd = self.crew.is_some_and(|workers| workers > PLAIN_WAITERS);
                let way = GrantedWay::Shared { socket, crowd };
                self.grant(server, Ok(Granted { way, data }));
                Ok(port)
            }
            Err(errno) => Err(errno),
        };
        self.events.push_back(Event::SharedReady { server, outcome });
    }

    /// Ends a listener. What its user has not taken goes back, unless nobody is there to have it.
    fn close(&mut self, server: ServerId) {
        let Some(it) = self.servers.remove(&server) else {
            return;
        };
        if self.machine.is_leaving() {
            // Before anybody sees that the listener is closed: it tells the two kinds of close apart.
            self.shared.life.advance(Life::Leaving);
        }
        if self.leaving_for_good() {
            it.inflow.close_orphaned();
            return;
        }
        // What was answered first is the user's, though it was not handed out yet.
        self.handover.releases.retain(|(of, conn)| {
            if *of == server {
                it.inflow.release(*conn);
            }
            *of != server
        });
        let untaken = it.inflow.close();
        let (mut taken, mut wanted) = (Vec::new(), Vec::new());
        it.inflow.collect(&mut taken, &mut wanted);
        self.events.extend(taken.into_iter().map(taken_event));
        self.events.extend(untaken.into_iter().map(|conn| Event::Returned { conn }));
    }

    fn leaving_for_good(&self) -> bool {
        !self.machine.is_connected()
    }
}

pub(super) fn taken_event((conn, tells): (ConnId, Tells)) -> Event {
    Event::Taken { conn, told: tells.is_yes() }
}

/// Makes a socket listen that came bound. Node binds late: only here it shows that the port was taken.
fn set_up(socket: &OwnedFd, query: &Query) -> Result<u16, Refused> {
    let socket = socket2::SockRef::from(socket);
    let port = socket.local_addr()?.as_socket().map_or(0, |address| address.port());
    if let Address::Tcp { port: asked, .. } = &query.address {
        if port == 0 || (*asked != 0 && port != *asked) {
            return Err(Call::Bind.refused(rustix::io::Errno::ADDRINUSE));
        }
    }
    let backlog = i32::try_from(query.backlog.unwrap_or(BACKLOG)).unwrap_or(i32::MAX);
    Socket::listen(&socket, backlog).map_err(|error| Call::Listen.refused(error))?;
    Ok(port)
}

fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::INVALID, Errno)
}
