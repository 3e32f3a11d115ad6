//! What can happen.

use std::time::Duration;

use portcrew_core::primary::{Event, Exit, Origin};
use portcrew_core::scheduler::Seat;
use portcrew_core::supervise::{Generation, SlotId};
use portcrew_core::{ConnId, FromWorker, Seq, WorkerId};

use super::world::{Fault, Worker, World};

#[derive(Debug, Clone, Copy)]
enum Step {
    Connect,
    Wait,
    Accept,
    Answer,
    Stick,
    Loosen,
    Die,
    Listen,
    Restart,
    Grow,
    Shrink,
    Reload,
    Leave,
}

impl World {
    pub(super) fn one_step(&mut self) -> Result<(), String> {
        let step = self.rng.weighted(&[
            (Step::Connect, 30),
            (Step::Wait, 22),
            (Step::Accept, 30),
            (Step::Answer, 14),
            (Step::Stick, 3),
            (Step::Loosen, 3),
            (Step::Die, 2),
            (Step::Listen, 8),
            (Step::Restart, 6),
            (Step::Grow, 1),
            (Step::Shrink, 1),
            (Step::Reload, 1),
            (Step::Leave, 4),
        ]);
        self.say(|| format!("> {step:?}"));
        match step {
            Step::Connect => return self.connects(),
            Step::Wait => {
                let ms = self.rng.one_of(&[1, 5, 15, 20, 45, 300, 80_000]);
                return self.passes(Duration::from_millis(ms));
            }
            Step::Accept => self.each(|it| !it.stuck && it.listens, Self::accepts)?,
            Step::Answer => self.each(|it| !it.stuck, Self::answers)?,
            Step::Stick | Step::Loosen => {
                let stuck = matches!(step, Step::Stick);
                let drawn = self.draw(|_| true);
                if let Some(it) = drawn.and_then(|it| self.workers.get_mut(&it)) {
                    it.stuck = stuck;
                }
            }
            Step::Die => {
                if let Some(worker) = self.draw(|_| true) {
                    self.dies(worker, Exit::Signal(9))?;
                }
            }
            Step::Listen => self.each(|it| !it.listens && !it.stuck, Self::listens)?,
            Step::Restart => self.fills()?,
            Step::Grow => self.wanted = (self.wanted + 1).min(5),
            Step::Shrink if self.wanted > 1 => {
                self.wanted -= 1;
                let wanted = self.wanted;
                self.each(|it| it.slot >= wanted, Self::unlists)?;
            }
            Step::Shrink => {}
            Step::Reload => {
                if let Some(slot) =
                    self.draw(|it| it.listens && !it.leaving).map(|it| self.workers[&it].slot)
                {
                    self.starts(slot)?;
                }
            }
            Step::Leave => {
                self.replaces()?;
                self.each(|it| it.leaving && !it.stuck, Self::leaves)?;
            }
        }
        Ok(())
    }

    fn draw(&mut self, which: impl Fn(&Worker) -> bool) -> Option<WorkerId> {
        let all: Vec<_> = self.workers.iter().filter(|it| which(it.1)).map(|it| *it.0).collect();
        (!all.is_empty()).then(|| self.rng.one_of(&all))
    }

    /// Something for each of these workers.
    pub(super) fn each(
        &mut self,
        which: impl Fn(&Worker) -> bool,
        act: fn(&mut Self, WorkerId) -> Result<(), String>,
    ) -> Result<(), String> {
        let all: Vec<_> = self.workers.iter().filter(|it| which(it.1)).map(|it| *it.0).collect();
        all.into_iter().try_for_each(|worker| act(self, worker))
    }

    fn connects(&mut self) -> Result<(), String> {
        let Some(member) = self.kernel.choose(&mut self.rng) else { return Ok(()) };
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.clients.insert(conn);
        let slowly = self.rng.percent(5);
        let Some(member) = self.kernel.members.get_mut(&member) else { return Ok(()) };
        if slowly {
            let ends = self.now + Duration::from_secs(self.rng.between(1, 60));
            member.half_open.push((conn, ends));
        } else {
            member.queue.push_back((conn, self.now));
            self.kernel.fired = true;
        }
        self.stir()
    }

    fn stir(&mut self) -> Result<(), String> {
        self.wake_if_armed();
        match self.events.pop_front() {
            Some(event) => self.tell(event),
            None => Ok(()),
        }
    }

    /// Time passes, and everything on its way happens in its order.
    pub(super) fn passes(&mut self, time: Duration) -> Result<(), String> {
        let end = self.now + time;
        loop {
            let due = self.primary.next_timeout().filter(|it| *it <= end);
            let half_open = self.kernel.members.values().flat_map(|it| &it.half_open);
            let handshake = half_open.map(|it| it.1).filter(|it| *it <= end).min();
            let Some(next) = due.into_iter().chain(handshake).min() else { break };
            self.now = self.now.max(next);
            self.kernel.settle(self.now);
            self.stir()?;
            self.primary.handle_timeout(self.now, &mut self.actions);
            self.obey()?;
            while let Some(event) = self.events.pop_front() {
                self.tell(event)?;
            }
            // Whoever is not stuck is quick: it needs no time that is worth a name.
            self.work()?;
            self.check()?;
        }
        self.now = end;
        self.work()
    }

    pub(super) fn work(&mut self) -> Result<(), String> {
        self.each(|it| !it.stuck && it.listens, Self::accepts)?;
        self.each(|it| !it.stuck, Self::answers)
    }

    /// Takes all that waits in its own socket.
    fn accepts(&mut self, worker: WorkerId) -> Result<(), String> {
        let Some(member) = self.member_of(worker) else { return Ok(()) };
        let Some(member) = self.kernel.members.get_mut(&member) else { return Ok(()) };
        let taken = std::mem::take(&mut member.queue);
        taken.into_iter().try_for_each(|(conn, _)| self.serves(conn, false))
    }

    fn answers(&mut self, worker: WorkerId) -> Result<(), String> {
        while let Some((ack, _)) =
            self.workers.get_mut(&worker).and_then(|it| it.offers.pop_front())
        {
            let message = FromWorker::Answer { ack, accepted: true };
            self.tell(Event::Message { worker, message })?;
        }
        Ok(())
    }

    /// A worker is started in this place, and asks.
    pub(super) fn starts(&mut self, slot: usize) -> Result<(), String> {
        let worker = WorkerId(self.next_worker);
        self.next_worker += 1;
        let origin = Origin { seat: Seat::Slot(SlotId(slot)), generation: Generation::FIRST };
        self.tell(Event::Forked { worker, origin })?;
        let it = Worker {
            slot,
            listens: false,
            stuck: false,
            leaving: false,
            offers: std::collections::VecDeque::new(),
            idle_since: None,
        };
        self.workers.insert(worker, it);
        let online = FromWorker::Online { lane: true };
        self.tell(Event::Message { worker, message: online })?;
        self.next_seq += 1;
        let message = FromWorker::Query { seq: Seq(self.next_seq), query: Self::query() };
        self.tell(Event::Message { worker, message })
    }

    fn listens(&mut self, worker: WorkerId) -> Result<(), String> {
        if let Some(it) = self.workers.get_mut(&worker) {
            it.listens = true;
        }
        let message = FromWorker::Listening { query: Self::query(), port: 80 };
        self.tell(Event::Message { worker, message })
    }

    /// Every place that has nobody gets a worker.
    fn fills(&mut self) -> Result<(), String> {
        let free = |slot: &usize| !self.workers.values().any(|it| it.slot == *slot && !it.leaving);
        let free: Vec<_> = (0..self.wanted).filter(free).collect();
        free.into_iter().try_for_each(|slot| self.starts(slot))
    }

    /// The older of two in one place is told to leave when the newer one listens.
    fn replaces(&mut self) -> Result<(), String> {
        let newer = |id: &WorkerId, it: &Worker| {
            self.workers.iter().any(|(other, that)| {
                other > id && that.slot == it.slot && that.listens && !that.leaving
            })
        };
        let old = self.workers.iter().filter(|(id, it)| !it.leaving && newer(id, it));
        let old: Vec<_> = old.map(|it| *it.0).collect();
        old.into_iter().try_for_each(|worker| self.unlists(worker))
    }

    /// Not the last one: that frees the port, by Node's rule.
    fn unlists(&mut self, worker: WorkerId) -> Result<(), String> {
        if self.workers.values().filter(|it| !it.leaving).count() < 2 {
            return Ok(());
        }
        if let Some(it) = self.workers.get_mut(&worker).filter(|it| !it.leaving) {
            it.leaving = true;
            return self.tell(Event::Unlist { worker });
        }
        Ok(())
    }

    /// One that was told to leave has answered what it had, and goes.
    fn leaves(&mut self, worker: WorkerId) -> Result<(), String> {
        self.answers(worker)?;
        self.dies(worker, Exit::Code(0))
    }

    fn dies(&mut self, worker: WorkerId, status: Exit) -> Result<(), String> {
        self.seen.deaths += u64::from(!status.is_success());
        self.workers.remove(&worker);
        self.tell(Event::Exited { worker, status })?;
        self.tell(Event::Drained { worker })
    }

    /// Nothing bad happens any more: everybody is served, and then nothing happens at all.
    pub(super) fn comes_to_rest(&mut self) -> Result<(), String> {
        for worker in self.workers.values_mut() {
            worker.stuck = false;
        }
        self.fills()?;
        self.each(|it| !it.listens, Self::listens)?;
        // The slowest handshake, and the time of the sockets that nobody has.
        self.passes(Duration::from_secs(60) + self.primary.limits().member_drain * 2)?;
        if let Some(conn) = self.clients.first() {
            return Err(format!("client {conn} waits for ever"));
        }
        self.idle_looks = 0;
        self.passes(Duration::from_secs(1000))?;
        match self.idle_looks {
            0 => Ok(()),
            _ if self.fault == Some(Fault::LooksOnce) => Ok(()),
            looks => Err(format!("{looks} looks at nothing in 1000 s")),
        }
    }
}
