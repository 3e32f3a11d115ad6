//! Actions, performed one by one and in order.

use portcrew_core::primary::{Action, BoundTo, Event, Mode, Notice, Proof, Scheduling};
use portcrew_core::{ConnId, Errno, ListenerId, Query, Seq, SockName, WorkerId};

use crate::sim::crew::TAKEN;
use crate::sim::kernel::{Peer, Socket, judge};
use crate::sim::link::{Down, LaneOffer};
use crate::sim::mutation::Circumstances;
use crate::sim::plan::{is_unprovable, port_of};
use crate::sim::report::{Check, Checked, ensure};
use crate::sim::words::Brief;
use crate::sim::world::World;

impl World {
    /// Performs what the machine decided, after the saboteur has had a look.
    pub(in crate::sim) fn perform_all(&mut self) -> Checked {
        let now = self.clock.now();
        while !self.actions.is_empty() {
            for decided in std::mem::take(&mut self.actions) {
                let about = self.circumstances(&decided);
                for action in self.saboteur.action(decided, about) {
                    self.trace.say(|| format!("    {}", Brief(&action)));
                    self.account.action(now, &action, &self.plan, &self.kernel)?;
                    self.perform(action)?;
                }
            }
            self.tell_shed();
        }
        self.flush_some();
        Ok(())
    }

    fn circumstances(&self, action: &Action) -> Circumstances {
        let (Action::Offer { listener, .. } | Action::Accept { listener, .. }) = action else {
            return Circumstances::default();
        };
        let Some(it) = self.account.listing(*listener).filter(|_| !self.saboteur.is_idle()) else {
            return Circumstances::default();
        };
        let shares = |worker| it.holding(worker).is_some_and(|it| it.way == Mode::Shared);
        let (now, limits) = (self.clock.now(), &self.plan.limits);
        let mut free = it.holdings.iter().filter(|it| it.is_free(now, limits));
        let handed = free.find(|it| it.way == Mode::Handover).map(|it| it.worker);
        let spared_for = match action {
            Action::Offer { worker, .. } if shares(*worker) => handed,
            _ => None,
        };
        Circumstances { spared_for, for_nobody: it.handed() == 0 }
    }

    fn perform(&mut self, action: Action) -> Checked {
        match action {
            Action::Send { worker, message, .. } => {
                if let Some(desk) = self.shell.desks.get_mut(&worker) {
                    desk.channel.push_back(Down::Message(message));
                }
            }
            Action::Offer { worker, seq, conn, listener } => {
                return self.send_connection(worker, seq, conn, listener);
            }
            Action::Prove { conn, worker, seq } => {
                self.check_left_nothing(worker, seq)?;
                self.shell.proofs.push_back((conn, worker, seq));
            }
            Action::Release { conn, end } => {
                self.note(conn, end);
                self.release(conn)?;
                return self.count_use(end);
            }
            Action::Bind { listener, query, .. } => {
                self.shell.keys.insert(listener, query.key());
                self.shell.binds.push_back((listener, query));
            }
            Action::Accept { listener, on } => return self.poll(listener, on),
            Action::Shed { listener, most } => return self.shed(listener, most),
            Action::CloseListener { listener } => return self.close_socket(listener),
            Action::Look { conn, look } => return self.look(conn, look),
            // The account does not let them pass.
            Action::BindMember { .. }
            | Action::CloseMember { .. }
            | Action::Steer { .. }
            | Action::Watch { .. }
            | Action::Survey { .. }
            | Action::Rescue { .. } => {}
            Action::Count { listener, on } => return self.count(listener, on),
            Action::CloseChannel { worker } => self.close_channel(worker),
            Action::Notify(notice) => {
                self.seen.saw(name(&notice));
                return self.crew_hears(&notice);
            }
        }
        Ok(())
    }

    /// A good worker that leaves answers all that it was sent before it goes; unless the primary was so slow
    /// that it gave the sockets up before it had read them.
    fn check_left_nothing(&mut self, worker: WorkerId, seq: Seq) -> Checked {
        let sent = self.shell.sent.contains(&(worker, seq));
        let good = self.process_mut(worker).is_some_and(|it| it.is_good());
        let read = self.shell.desks.get(&worker).is_some_and(|it| it.drained);
        ensure(!(sent && good && read), Check::WorkerSide, || {
            format!("worker {worker} left by itself and never answered {seq}")
        })
    }

    fn send_connection(
        &mut self,
        worker: WorkerId,
        seq: Seq,
        conn: ConnId,
        listener: ListenerId,
    ) -> Checked {
        ensure(self.kernel.conn(conn).primary_copy, Check::C4Copy, || {
            format!("{conn} is offered and its copy is closed")
        })?;
        let lane = self.account.member(worker).is_some_and(|it| it.lane);
        let (Some(desk), Some(key)) =
            (self.shell.desks.get_mut(&worker), self.shell.keys.get(&listener))
        else {
            return Ok(());
        };
        if lane {
            desk.lane.push_back(LaneOffer { seq, conn, listener });
        } else {
            let key = key.clone();
            desk.channel.push_back(Down::Conn { seq, conn, key });
        }
        Ok(())
    }

    fn release(&mut self, conn: ConnId) -> Checked {
        for desk in self.shell.desks.values_mut() {
            desk.forget(conn);
        }
        let was_open = self.kernel.close_copy(conn);
        ensure(was_open, Check::C4Copy, || format!("{conn} was released twice"))
    }

    fn poll(&mut self, listener: ListenerId, on: bool) -> Checked {
        let Some(socket) = self.kernel.sockets.get_mut(&listener) else {
            return ensure(false, Check::C6BackPressure, || {
                format!("there is no socket of listener {listener} to poll")
            });
        };
        let was = std::mem::replace(&mut socket.polled, on);
        ensure(was != on, Check::C6BackPressure, || {
            format!("listener {listener} was told twice: {on}")
        })
    }

    /// Accepts and closes what waits.
    fn shed(&mut self, listener: ListenerId, most: u32) -> Checked {
        let Some(socket) = self.kernel.sockets.get_mut(&listener) else {
            return Ok(());
        };
        let polled = socket.polled;
        let count = socket.backlog.len().min(most as usize);
        let shed: Vec<_> = socket.backlog.drain(..count).collect();
        for conn in shed {
            self.kernel.conn_mut(conn).peer = Peer::Rst;
            self.seen.saw("shed for want of descriptors");
        }
        self.shell.shed.push((listener, u32::try_from(count).unwrap_or(u32::MAX)));
        ensure(!polled, Check::C6BackPressure, || {
            format!("listener {listener} is to be shed from, and is accepted from")
        })
    }

    /// Tells how many were shed, in the same step.
    fn tell_shed(&mut self) {
        let now = self.clock.now();
        for (listener, count) in std::mem::take(&mut self.shell.shed) {
            let event = Event::Shed { listener, count };
            self.account.event(now, &event, &self.plan, &self.kernel);
            for told in self.saboteur.event(event) {
                self.primary.handle(now, told, &mut self.actions);
            }
        }
    }

    fn close_socket(&mut self, listener: ListenerId) -> Checked {
        let socket = self.kernel.sockets.remove(&listener);
        ensure(socket.is_some(), Check::C9SocketLife, || {
            format!("listener {listener} has no socket to close")
        })
    }

    fn close_channel(&mut self, worker: WorkerId) {
        if let Some(desk) = self.shell.desks.get_mut(&worker) {
            desk.closing = !desk.drained;
            desk.channel.clear();
            desk.lane.clear();
        }
        if let Some(process) = self.process_mut(worker) {
            process.link.close_primary_end();
        }
    }

    /// Binds the next socket that was asked for.
    pub(in crate::sim) fn bind_next(&mut self) -> Result<bool, crate::sim::report::Broken> {
        let Some((listener, query)) = self.shell.binds.pop_front() else {
            return Ok(false);
        };
        let outcome = self.bind(listener, &query);
        self.feed(Event::Bound { listener, outcome })?;
        Ok(true)
    }

    fn bind(&mut self, listener: ListenerId, query: &Query) -> Result<BoundTo, Errno> {
        if port_of(query) == TAKEN {
            // Not the errno by which the machine itself refuses.
            return Err(Errno::ACCESS);
        }
        if !self.settling && self.rng.percent(self.plan.bind_fails) {
            self.seen.saw("bind failed");
            // Not the errno by which the machine itself refuses.
            return Err(Errno::ACCESS);
        }
        let udp = query.address.is_udp();
        if udp {
            self.seen.saw("bound: UDP, to be shared");
        }
        let unix = is_unprovable(query);
        let socket = Socket {
            unix,
            udp,
            backlog: std::collections::VecDeque::new(),
            room: self.plan.backlog,
            polled: false,
        };
        let kind = socket.kind();
        self.kernel.sockets.insert(listener, socket);
        let port = port_of(query);
        let name =
            SockName { address: "127.0.0.1".into(), family: portcrew_core::Family::V4, port };
        Ok(BoundTo { kind, sockname: (!unix).then_some(name) })
    }

    /// Judges the next connection that was asked about.
    pub(in crate::sim) fn prove_next(&mut self) -> Result<bool, crate::sim::report::Broken> {
        let Some((conn, worker, seq)) = self.shell.proofs.pop_front() else {
            return Ok(false);
        };
        let proof = if self.shell.sent.contains(&(worker, seq)) {
            self.prove(conn)?
        } else {
            Proof::NeverSent
        };
        self.seen.saw(match proof {
            Proof::NeverSent => "proof: never sent",
            Proof::Untouched => "proof: untouched",
            Proof::Touched => "proof: touched",
            Proof::PeerGone => "proof: peer gone",
            Proof::Unprovable => "proof: unprovable",
        });
        self.feed(Event::Proof { conn, proof })?;
        Ok(true)
    }
}

impl World {
    /// C3: what the kernel's numbers prove is what has really happened.
    fn prove(&mut self, conn: ConnId) -> Result<Proof, crate::sim::report::Broken> {
        let it = self.kernel.conn(conn);
        let figures = it.figures();
        let proof = judge(self.saboteur.figures(figures));
        if let Some(what) = it.peculiarity() {
            self.seen.saw(what);
        }
        ensure(proof == it.truth(), Check::C3Reoffer, || {
            format!("{conn} is {proof:?} by {figures:?}, and was {:?}", it.truth())
        })?;
        Ok(proof)
    }
}

const fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Forked { .. } => "notice: forked",
        Notice::Online { .. } => "notice: online",
        Notice::Listening { .. } => "notice: listening",
        Notice::SelfBound { .. } => "notice: self-bound",
        Notice::ListenFailed { .. } => "notice: listen failed",
        Notice::Bound { .. } => "notice: bound",
        Notice::Disconnected { planned: true, .. } => "notice: disconnected, planned",
        Notice::Disconnected { .. } => "notice: disconnected",
        Notice::Exited { planned: true, .. } => "notice: exited, planned",
        Notice::Exited { .. } => "notice: exited",
        Notice::Misbehaved { .. } => "notice: misbehaved",
        Notice::DiedInside { open: Some(_), .. } => "notice: died inside, counted",
        Notice::DiedInside { .. } => "notice: died inside, unknown",
        Notice::AcceptPaused { .. } => "notice: accept paused",
        Notice::Scheduling { news, .. } => name_of_news(news),
        _ => "notice: other",
    }
}

const fn name_of_news(news: &Scheduling) -> &'static str {
    match news {
        Scheduling::Policy { .. } => "notice: policy",
        Scheduling::Counted { .. } => "notice: counted",
        Scheduling::Uncounted { .. } => "notice: uncounted",
        Scheduling::Failed { .. } => "notice: scheduler failed",
        Scheduling::Summary { .. } => "notice: summary",
        _ => "notice: other news",
    }
}
