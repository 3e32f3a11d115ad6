//! Does what the machine wants, and objects where it may not want it.

use portcrew_core::primary::{Action, BoundTo, End, Event, Proof};
use portcrew_core::{CloseReason, ConnId, MemberId, Reply, SocketKind, ToWorker};

use super::world::{Fault, LISTENER, World};

impl World {
    pub(super) fn perform(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Bind { listener, .. } => {
                self.kernel.members.entry(MemberId::FIRST).or_default();
                let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: None });
                self.events.push_back(Event::Bound { listener, outcome });
            }
            Action::BindMember { listener, member } => {
                self.kernel.members.entry(member).or_default();
                self.events.push_back(Event::MemberBound { listener, member, outcome: Ok(()) });
            }
            Action::CloseMember { member, .. } => return self.closes(member),
            Action::Steer { live, .. } => return self.steers(live),
            Action::Watch { .. } => self.watches(),
            Action::Survey { .. } => self.surveys(),
            Action::Rescue { member, most, older, .. } => {
                return self.rescues(member, most, older);
            }
            Action::Offer { worker, seq, conn, .. } => {
                // One that is gone gets nothing; its death finds the offer.
                if let Some(it) = self.workers.get_mut(&worker) {
                    it.idle_since = None;
                    it.offers.push_back((seq, conn));
                }
            }
            Action::Prove { conn, .. } => {
                self.seen.proofs += 1;
                self.events.push_back(Event::Proof { conn, proof: Proof::Untouched });
            }
            Action::Release { conn, end } => return self.released(conn, end),
            Action::Send { worker, message: ToWorker::Reply { reply, .. }, .. } => {
                if reply != Reply::Shared {
                    return Err(format!("worker {worker} gets {reply:?}"));
                }
            }
            Action::Accept { on: true, .. } => return Err("the primary accepts".into()),
            Action::CloseListener { .. } => return Err("the port is closed".into()),
            Action::Accept { .. }
            | Action::Send { .. }
            | Action::Shed { .. }
            | Action::Look { .. }
            | Action::Count { .. }
            | Action::CloseChannel { .. }
            | Action::Notify(_) => {}
        }
        Ok(())
    }

    fn closes(&mut self, member: MemberId) -> Result<(), String> {
        let held = self.kernel.members.remove(&member).ok_or("it was closed before")?;
        self.seen.closed += 1;
        let lost = held.queue.len() + held.half_open.len();
        if lost > 0 {
            return Err(format!("{lost} are lost with socket {member}"));
        }
        if self.has_worker(member) {
            return Err(format!("socket {member} has a worker"));
        }
        Ok(())
    }

    fn steers(&mut self, live: Vec<MemberId>) -> Result<(), String> {
        if let Some(member) = live.iter().find(|it| !self.has_worker(**it)) {
            return Err(format!("connections are led to socket {member}, where nobody listens"));
        }
        if self.fault != Some(Fault::SteersNever) {
            self.kernel.live = live;
        }
        Ok(())
    }

    fn watches(&mut self) {
        if self.fault == Some(Fault::NeverRests) {
            return self.surveys();
        }
        self.kernel.armed = true;
        self.idle_looks = 0;
        self.wake_if_armed();
    }

    /// The first connection since somebody has asked for it.
    pub(super) fn wake_if_armed(&mut self) {
        if self.kernel.armed && (self.kernel.waiting() > 0 || self.kernel.fired) {
            (self.kernel.armed, self.kernel.fired) = (false, false);
            self.events.push_back(Event::Stirred { listener: LISTENER });
        }
    }

    fn surveys(&mut self) {
        self.idle_looks += 1;
        if self.fault == Some(Fault::LooksOnce) && self.seen.rescued > 0 {
            return;
        }
        let all = self.kernel.members.iter();
        let mut queues: Vec<_> = all.map(|(id, it)| (*id, it.queue.len() as u32)).collect();
        if let (Some(Fault::RescuesAnyhow), Some(last)) = (self.fault, queues.last_mut()) {
            last.1 = 0;
        }
        let quiet = !std::mem::take(&mut self.kernel.fired) && self.kernel.waiting() == 0;
        self.events.push_back(Event::Surveyed { listener: LISTENER, queues, quiet });
    }

    fn rescues(
        &mut self,
        member: MemberId,
        most: u32,
        older: std::time::Duration,
    ) -> Result<(), String> {
        if self.fault == Some(Fault::RescuesNever) {
            return Ok(());
        }
        let is_served = self.kernel.live.contains(&member);
        let others = self.kernel.live.iter().filter(|it| **it != member);
        let is_free =
            |it: &&MemberId| self.kernel.members.get(*it).is_some_and(|it| it.queue.is_empty());
        if is_served && others.filter(is_free).count() == 0 {
            return Err(format!("socket {member} is rescued where everybody has enough to do"));
        }
        for _ in 0..most {
            let queue = &mut self.kernel.members.get_mut(&member).ok_or("no such socket")?.queue;
            let Some((conn, since)) = queue.pop_front() else { break };
            let waited = self.now.since(since);
            self.held.insert(conn);
            self.events.push_back(Event::Rescued {
                listener: LISTENER,
                member,
                conn,
                peer: None,
                waited,
            });
            if waited < older {
                break;
            }
        }
        Ok(())
    }

    fn released(&mut self, conn: ConnId, end: End) -> Result<(), String> {
        self.held.remove(&conn);
        match end {
            End::Taken(_) => self.serves(conn, true),
            // Everybody was stuck for so long, as it is where the primary accepts.
            End::Closed(CloseReason::HeldTooLong) => {
                self.clients.remove(&conn);
                Ok(())
            }
            End::Closed(reason) => Err(format!("client {conn} is closed: {}", reason.name())),
        }
    }

    /// A client has its answer.
    pub(super) fn serves(&mut self, conn: ConnId, rescued: bool) -> Result<(), String> {
        self.seen.served += 1;
        self.seen.rescued += u64::from(rescued);
        if self.clients.remove(&conn) {
            Ok(())
        } else {
            Err(format!("client {conn} is served twice"))
        }
    }
}
