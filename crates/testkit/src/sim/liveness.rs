//! What must come true once faults have stopped.

use portcrew_core::primary::{Event, Exit, Origin};
use portcrew_core::{CloseReason, ConnId};

use super::account::Status;
use super::kernel::{Peer, Socket};
use super::plan::{Manner, Temper};
use super::report::{Broken, Check, Checked, ensure};
use super::worker::{Process, Run};
use super::world::World;

/// Rounds in which something may still move. Of a million runs the longest needs 1,265: beyond this, it goes in a circle.
const MOST_ROUNDS: u32 = 4_000;

impl World {
    /// Faults stop: hurt and hostile workers are killed, a good one is started, and everything that waits
    /// is served. Then all are told to leave, and nothing may be left.
    pub(super) fn settle(&mut self) -> Checked {
        self.settling = true;
        self.rng.end();
        self.trace.say(|| "faults stop".into());
        for at in 0..self.processes.len() {
            self.judge(at);
        }
        if self.crew.is_some() {
            self.mend_crew();
        } else {
            let origin = Origin::alone(self.next_worker());
            self.fork(Temper::HONEST, origin, true)?;
        }
        self.come_to_rest()?;
        self.check_served()?;
        self.check_crew_is_whole()?;
        if self.crew.is_some() {
            self.end_crew()?;
        }
        self.stop()?;
        self.check_nothing_is_left()
    }

    /// Only the good may serve on.
    fn judge(&mut self, at: usize) {
        let process = &mut self.processes[at];
        let good = match process.temper.manner {
            Manner::Honest | Manner::Slow => process.is_running() && !process.has_deserted(),
            Manner::Refusing
            | Manner::Lying
            | Manner::Crashing(_)
            | Manner::Deserting
            | Manner::Bequeathing
            | Manner::Exiting
            | Manner::Mute
            | Manner::Brief => false,
        };
        if !good && process.is_alive() {
            process.die(Exit::Signal(9));
        }
    }

    /// Moves everybody until nobody can move and no time-out changes that.
    pub(super) fn come_to_rest(&mut self) -> Checked {
        for _ in 0..MOST_ROUNDS {
            if self.round()? {
                continue;
            }
            if self.what_waits().is_none() {
                return Ok(());
            }
            if !self.wake_the_given_up() && !self.jump()? {
                return Ok(());
            }
        }
        let what = self.what_waits().unwrap_or("somebody always moves");
        Err(Broken::new(Check::Liveness, format!("it never comes to rest: {what}")))
    }

    /// What time may change.
    fn what_waits(&self) -> Option<&'static str> {
        let tally = &self.account.tally;
        let backlog = |it: &Socket| it.polled && !it.backlog.is_empty();
        if tally.held + tally.offered > 0 {
            Some("a connection is neither taken nor closed")
        } else if self.kernel.sockets.values().any(backlog) {
            Some("a connection is not accepted")
        } else if self.is_crew_busy() {
            Some("the crew is not whole")
        } else if self.primary.listeners().any(|it| it.is_resting) {
            Some("a listener rests")
        } else {
            None
        }
    }

    fn round(&mut self) -> Result<bool, Broken> {
        let mut moved = self.bind_next()? | self.prove_next()?;
        moved |= self.count_next()? | self.look_next()? | self.end_next()? | self.crew_answers()?;
        for at in 0..self.processes.len() {
            if !self.is_gone(at) {
                moved |= self.process_moves(at)?;
            }
        }
        let listeners: Vec<_> = self.kernel.sockets.keys().copied().collect();
        for listener in listeners {
            moved |= self.accept_from(listener, 4)?;
        }
        Ok(moved)
    }

    /// A process, and what the primary's shell has to do about it.
    fn process_moves(&mut self, at: usize) -> Result<bool, Broken> {
        self.turns += 1;
        let mut moved = self.end_useless(at);
        moved |= self.reap(at)?;
        moved |= self.read_from(at, true)?;
        moved |= self.worker_steps(at)?;
        moved |= self.user_serves(at)?;
        Ok(moved || self.processes[at].is_about_to_end())
    }

    /// Who got no listener, or has closed its last, is of no use to a crew, which cannot know that: its program ends.
    fn end_useless(&mut self, at: usize) -> bool {
        let process = &mut self.processes[at];
        let useless = self.crew.is_some() && process.is_running() && !process.wants_any();
        let ends = useless && !process.is_leaving();
        if ends {
            process.die(Exit::Code(1));
        }
        ends
    }

    /// Every connection is taken, or closed with a reason; whoever was taken by a good worker is answered.
    fn check_served(&self) -> Checked {
        let tally = &self.account.tally;
        ensure(tally.held + tally.offered == 0, Check::Liveness, || {
            let left: Vec<_> = self.primary.connections().collect();
            format!("these are neither taken nor closed: {left:?}")
        })?;
        ensure(self.account.asked.is_empty(), Check::Liveness, || {
            format!("these questions have no answer: {:?}", self.account.asked)
        })?;
        for (conn, entry) in self.account.entries() {
            if let Status::Taken(worker) = entry.status {
                let at = usize::try_from(worker.0).unwrap_or(0).saturating_sub(1);
                self.check_taken(conn, &self.processes[at])?;
            }
        }
        self.check_holders_serve()?;
        self.check_holders_listen()?;
        for (id, socket) in &self.kernel.sockets {
            let left = socket.backlog.len();
            ensure(left == 0 || !socket.polled, Check::Liveness, || {
                format!("{left} wait in the backlog of listener {id}, which is polled")
            })?;
        }
        Ok(())
    }

    /// Whoever the primary counts on is there to serve.
    fn check_holders_serve(&self) -> Checked {
        for (id, listing) in self.account.listings() {
            for worker in &listing.holders {
                let at = usize::try_from(worker.0).unwrap_or(0).saturating_sub(1);
                let process = &self.processes[at];
                let serves = !process.is_good() || process.serves(&listing.address);
                ensure(serves, Check::WorkerSide, || {
                    format!("worker {worker} holds listener {id} and does not know it")
                })?;
            }
        }
        Ok(())
    }

    /// All has been said and heard: schedulers are shown that they listen.
    fn check_holders_listen(&self) -> Checked {
        for view in self.primary.listeners() {
            for it in view.holders {
                let at = usize::try_from(it.worker.0).unwrap_or(0).saturating_sub(1);
                let shown = it.listening || !self.processes[at].is_good();
                ensure(shown, Check::C12Choice, || format!("{it:?} listens on {view:?}"))?;
            }
        }
        Ok(())
    }

    fn check_taken(&self, conn: ConnId, process: &Process) -> Checked {
        let it = self.kernel.conn(conn);
        let excused = !process.is_good() || it.peer != Peer::Open;
        ensure(excused || it.delivered_to == Some(process.id), Check::C2OneOwner, || {
            format!("worker {} took {conn} and its user never saw it", process.id)
        })?;
        ensure(excused || it.answered, Check::Liveness, || {
            format!("worker {} took {conn} and never answered", process.id)
        })
    }

    /// All workers are told to leave.
    fn stop(&mut self) -> Checked {
        self.trace.say(|| "all are told to leave".into());
        for at in 0..self.processes.len() {
            let worker = self.processes[at].id;
            self.feed(Event::Disconnect { worker })?;
        }
        self.come_to_rest()?;
        // Whoever does not leave by itself, for its channel is closed, is killed.
        for at in 0..self.processes.len() {
            if self.processes[at].is_alive() {
                let process = &mut self.processes[at];
                ensure(process.has_deserted(), Check::Liveness, || {
                    format!("worker {} was told to leave and stays", process.id)
                })?;
                process.die(Exit::Signal(9));
            }
        }
        self.come_to_rest()?;
        let left: Vec<_> = self.account.listings().map(|(id, _)| id).collect();
        for listener in left {
            self.feed(Event::CloseListener { listener })?;
        }
        while self.jump()? {
            self.come_to_rest()?;
        }
        Ok(())
    }

    fn check_nothing_is_left(&self) -> Checked {
        let reaped = self.processes.iter().all(|it| it.run == Run::Reaped);
        ensure(reaped, Check::Liveness, || "a process was not reaped".into())?;
        let known: Vec<_> = self.primary.workers().collect();
        ensure(known.is_empty(), Check::Liveness, || {
            format!("the primary still waits for workers {known:?}")
        })?;
        let noted = self.kernel.noted.iter().find(|it| !self.is_open(it.0));
        ensure(noted.is_none(), Check::C11Live, || format!("nobody told the end of {noted:?}"))?;
        let clean = self.kernel.sockets.is_empty() && self.kernel.copies() == 0;
        ensure(clean, Check::C4Copy, || {
            let copies = self.kernel.copies();
            format!("left open: {:?}, and {copies} copies", self.kernel.sockets)
        })
    }

    /// Adds what the run did to what was seen.
    pub(super) fn summarize(&mut self) {
        let ledger = self.primary.ledger().clone();
        self.seen.add("accepted", ledger.accepted);
        self.seen.add("taken", ledger.taken);
        self.seen.add("offered again", ledger.offered_again);
        self.seen.add("stray answers", ledger.stray_answers);
        self.seen.add("bad picks", ledger.bad_picks);
        self.seen.add("schedulers that panicked", ledger.scheduler_panics);
        self.seen.add("looked in vain", ledger.looked_in_vain);
        self.seen.add("steps", self.step);
        self.seen.merge(&self.account.met);
        for reason in CloseReason::ALL.iter().copied() {
            self.seen.add(reason.name(), ledger.closed_for(reason));
        }
    }
}
