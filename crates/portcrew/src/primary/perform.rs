//! Does what the machine wants done, and decides nothing.

use std::os::fd::AsFd;

use portcrew_core::primary::{AcceptFailure, Action, End, Event, Life, Mode, Proof};
use portcrew_core::{Address, ConnId, ListenerId, Query, Reply, Seq, ToWorker, WorkerId};
use portcrew_ipc::channel::OutgoingHandle;
use portcrew_ipc::error::QueueError;
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::message::ClusterMessage;
use portcrew_ipc::probe;

use super::conns::Conn;
use super::driver::Driver;
use super::link::SHARED_TOKEN;
use super::rights;
use crate::net::bind;
use crate::net::refused::Refused;
use crate::wire;

impl Driver {
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Send { worker, seq, message } => self.send(worker, seq, &message),
            Action::Offer { worker, seq, conn, listener } => {
                self.offer(worker, seq, conn, listener);
            }
            Action::Prove { conn, worker, seq } => {
                let proof = self.prove(conn, worker, seq);
                self.then(Event::Proof { conn, proof });
            }
            Action::Release { conn, end } => self.release(conn, end),
            // Who else accepts is said by `Accept`, and by what workers are told.
            Action::Bind { listener, query, mode: Mode::Handover | Mode::Shared } => {
                self.bind(listener, &query);
            }
            Action::Bind { listener, query, mode: Mode::Kernel } => {
                self.bind_group(listener, &query);
            }
            Action::BindMember { listener, member } => self.bind_member(listener, member),
            Action::CloseMember { listener, member } => self.close_member(listener, member),
            Action::Steer { listener, live } => self.steer(listener, &live),
            Action::Watch { listener } => self.watch_group(listener),
            Action::Survey { listener } => self.survey_queues(listener),
            Action::Rescue { listener, member, most, older } => {
                self.rescue(listener, member, most, older);
            }
            Action::Accept { listener, on } => self.accept_or_not(listener, on),
            Action::Shed { listener, most } => self.shed(listener, most),
            Action::Look { conn, look } => self.look(conn, &look),
            Action::Count { listener, on: true } => self.count(listener),
            Action::Count { listener, on: false } => self.stop_counting(listener),
            Action::CloseListener { listener } => self.close_listener(listener),
            Action::CloseChannel { worker } => self.close_channel(worker),
            Action::Notify(notice) => self.notify(&notice),
        }
    }

    /// Tells the machine what came of an action. What it wants done about it comes after the actions that
    /// are being performed.
    pub(super) fn then(&mut self, event: Event) {
        self.machine.handle(self.now, event, &mut self.actions);
    }

    fn send(&mut self, worker: WorkerId, seq: Seq, message: &ToWorker) {
        // Where the user forks by hand nobody knows how many there will be: a wait that suits any number.
        let wanted = self.crew.wanted().unwrap_or(usize::MAX);
        let crew = u32::try_from(wanted).unwrap_or(u32::MAX);
        // Where it has a socket of its own it waits for itself alone.
        let crew = match message {
            ToWorker::Reply { listener, .. } if self.spread.has(*listener) => 1,
            _ => crew,
        };
        let wire = wire::encode_to_worker(seq, message, crew);
        if let Some(link) = self.links.get_mut(&worker) {
            if link.is_mute() {
                return self.tell_mute(worker, message);
            }
            match message {
                ToWorker::Disconnect => {
                    link.tell_to_leave();
                    link.shared.plan_the_end();
                }
                ToWorker::FarewellHeard { .. } => link.shared.plan_the_end(),
                ToWorker::Reply { .. } => {}
            }
        }
        let handle = match message {
            ToWorker::Reply { listener, reply: Reply::Shared, .. } => {
                self.watch_shared(*listener);
                self.share(*listener, worker)
            }
            ToWorker::Reply { .. } | ToWorker::Disconnect | ToWorker::FarewellHeard { .. } => None,
        };
        self.send_wire(worker, wire, handle);
    }

    /// A program without a channel understands one word, and that is a signal.
    fn tell_mute(&mut self, worker: WorkerId, message: &ToWorker) {
        match message {
            ToWorker::Disconnect => {
                self.made_to_leave(worker);
                self.signal(worker, self.stop_signal());
            }
            // It never asks, and never says farewell.
            ToWorker::Reply { .. } | ToWorker::FarewellHeard { .. } => {}
        }
    }

    pub(super) fn send_wire(
        &mut self,
        worker: WorkerId,
        message: ClusterMessage,
        handle: Option<(HandleKind, OutgoingHandle)>,
    ) {
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let queued = link.send(message, handle);
        self.written_to(worker, queued);
    }

    /// The socket that goes with the reply of a shared listener.
    fn share(
        &self,
        listener: ListenerId,
        worker: WorkerId,
    ) -> Option<(HandleKind, OutgoingHandle)> {
        let socket = self.sockets.get(listener)?;
        let fd = match self.machine.member_of(worker, listener) {
            Some(member) => self.spread.share(listener, member)?,
            None => socket.share(),
        };
        let kind = match socket.query.address {
            Address::Udp { .. } => HandleKind::DgramNative,
            Address::Tcp { .. } | Address::Unix { .. } | Address::Fd { .. } => {
                HandleKind::NetNative
            }
        };
        Some((kind, OutgoingHandle { fd, token: SHARED_TOKEN }))
    }

    fn offer(&mut self, worker: WorkerId, seq: Seq, conn: ConnId, listener: ListenerId) {
        // The worker may read from it in the next moment, and we would be woken for that.
        self.looking.forget(conn);
        let (Some(link), Some(socket)) = (self.links.get_mut(&worker), self.sockets.get(listener))
        else {
            return self.then(Event::NotReceived { worker, seq });
        };
        match link.offer(seq, conn, listener, &socket.key, &self.conns) {
            Ok(()) => self.mark_dirty(worker),
            // It is queued nowhere, so nothing else would ever say that it was not sent.
            Err(_) => self.then(Event::NotReceived { worker, seq }),
        }
    }

    fn prove(&self, conn: ConnId, worker: WorkerId, seq: Seq) -> Proof {
        if self.links.get(&worker).is_some_and(|link| link.never_sent(seq)) {
            return Proof::NeverSent;
        }
        let Some(socket) = self.conns.get(conn) else {
            return Proof::Unprovable;
        };
        match probe::prove(socket.as_fd()) {
            Ok(probe::Proof::Untouched) => Proof::Untouched,
            Ok(probe::Proof::Touched) => Proof::Touched,
            Ok(probe::Proof::PeerGone) => Proof::PeerGone,
            // A kernel that cannot say proves nothing.
            Ok(_) | Err(_) => Proof::Unprovable,
        }
    }

    fn release(&mut self, conn: ConnId, end: End) {
        self.looking.forget(conn);
        let released = self.conns.release(conn);
        match end {
            End::Taken(worker) => {
                if let Some(link) = self.links.get_mut(&worker) {
                    link.taken += 1;
                    let taken = link.taken;
                    self.count_use(worker, taken);
                }
                if let Some(Conn { socket, listener }) = released {
                    self.note_open(listener, worker, socket.as_fd());
                }
            }
            // Counted by the machine, reason by reason.
            End::Closed(_) => {}
        }
    }

    fn accept_or_not(&mut self, listener: ListenerId, on: bool) {
        if self.sockets.accept(listener, on, &self.ready).is_err() {
            // No memory for the registration: as when there is none for a connection.
            self.then(Event::AcceptFailed { listener, failure: AcceptFailure::Resource });
        }
    }

    fn close_listener(&mut self, listener: ListenerId) {
        self.count_to_the_end(listener);
        self.spread.close(listener);
        self.sockets.close(listener);
    }

    fn bind(&mut self, listener: ListenerId, query: &Query) {
        self.refused = None;
        let outcome = self.may_bind(query).and_then(|()| bind::bind(query)).and_then(|bound| {
            let to = bound.to.clone();
            self.sockets.add(listener, query.clone(), bound)?;
            Ok(to)
        });
        let outcome = outcome.map_err(|it| {
            let errno = bind::errno_of(&it.source, &query.address);
            self.refused.get_or_insert(it);
            errno
        });
        self.then(Event::Bound { listener, outcome });
    }

    /// A path that workers with fewer rights asked for must not lead through a place that they could have changed.
    fn may_bind(&mut self, query: &Query) -> Result<(), Refused> {
        let Address::Unix { path, .. } = &query.address else {
            return Ok(());
        };
        // An abstract name leads nowhere.
        if path.starts_with('\0') || !self.launcher.lends() {
            return Ok(());
        }
        let source = match rights::refuse_strangers(path) {
            Ok(()) => return Ok(()),
            // As binding would say it; and nobody may make the directory in between.
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(source.into());
            }
            Err(source) => source,
        };
        let reason = std::io::Error::new(std::io::ErrorKind::PermissionDenied, source.to_string());
        self.refused = Some(reason.into());
        let error =
            crate::Error::Io { doing: "listen on a path for workers of another user", source };
        self.events.push(crate::Event::Error { worker: None, error });
        Err(std::io::Error::from_raw_os_error(portcrew_core::Errno::ACCESS.0).into())
    }

    pub(super) fn close_channel(&mut self, worker: WorkerId) {
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        link.close();
        self.end_if_drained(worker);
    }

    /// Tells the machine, once, that nothing more comes from `worker`.
    pub(super) fn end_if_drained(&mut self, worker: WorkerId) {
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        if !link.has_ended() || link.drained {
            return;
        }
        link.drained = true;
        // A worker that lives on keeps what it was sent, and what was not sent need not wait for its death.
        // When it is dead already, the proofs tell the two apart.
        let lives = matches!(self.machine.life(worker), Some(Life::Connected(_)));
        let unsent = if lives { link.take_unsent(&self.conns) } else { Vec::new() };
        for seq in unsent {
            self.then(Event::NotReceived { worker, seq });
        }
        self.then(Event::Drained { worker });
    }

    /// What became of a message that the machine sent.
    fn written_to(&mut self, worker: WorkerId, queued: Result<(), QueueError>) {
        match queued {
            Ok(()) => self.mark_dirty(worker),
            // Its end is being read.
            Err(QueueError::Closed) => {}
            // It reads nothing, or it has lost a socket that it needs: no word reaches it any more.
            Err(_) => self.close_channel(worker),
        }
    }
}
