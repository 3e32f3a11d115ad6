//! The reference: a few connections and two workers, and what must become of them.

use std::fmt::Write;
use std::time::Duration;

use portcrew_core::primary::{AcceptFailure, Action, End, Proof};
use portcrew_core::{CloseReason, ConnId, Limits, Seq, Time, ToWorker, WorkerId};

use super::WORKERS;
use super::letter::{Letter, Saying, worker};
use crate::sim::report::{Broken, Check, Checked, ensure};

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// It waits.
    Held,
    /// This worker has been offered it, and owes an answer since then.
    Offered(usize, Seq, Time),
    /// That worker is gone; the kernel is to be asked in this step.
    ToJudge(usize, Seq),
    /// The kernel was asked, on account of this offer.
    Judged((usize, Seq)),
    /// The copy is to be closed in this step.
    Due(End),
    /// The copy is closed.
    Gone,
}

/// A connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conn {
    /// Where it is.
    pub at: At,
    /// Since when it is the primary's.
    pub since: Time,
    /// How often a worker has not taken it.
    pub refusals: u32,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// It was told to leave.
    pub told: bool,
    /// Its process is gone.
    pub reaped: bool,
    /// Its channel is at its end, or was given up.
    pub drained: bool,
    /// An offer that it has answered, or was never made.
    pub answered_last: Seq,
    /// When the first of both came.
    half_gone: Time,
    /// How many connections it may owe an answer for, and at most.
    window: (u32, u32),
    rests_until: Time,
    /// How often it broke the protocol.
    pub offences: u32,
    /// The order to leave, and to close its channel, are to be given in this step.
    orders: (bool, bool),
    next_seq: u64,
}

/// All that there is, as it must be.
#[derive(Debug, Clone)]
pub struct Model {
    /// The limits that hold.
    pub limits: Limits,
    /// What time it is.
    pub now: Time,
    /// The workers.
    pub sides: Vec<Side>,
    /// The connections that were accepted.
    pub conns: Vec<Conn>,
    /// The listener is there.
    pub open: bool,
    /// It is accepted from.
    pub polled: bool,
    /// When `accept` failed last for want of something.
    pub failed_at: Option<Time>,
    /// The socket is to be closed in this step.
    pub closing: bool,
    /// What was counted.
    pub books: Books,
}

/// What the ledger must say. It decides nothing.
#[derive(Debug, Clone, Default)]
pub struct Books {
    /// Connections that a worker has.
    pub taken: u64,
    /// Those that nobody has, by reason.
    pub closed: [u64; CloseReason::ALL.len()],
    /// Answers to no offer.
    pub stray: u64,
    /// Failures of `accept`.
    pub failures: u64,
    /// What came back to the queue.
    pub again: u64,
}

impl Side {
    fn new(window: u32, since: Time) -> Self {
        Self {
            told: false,
            reaped: false,
            drained: false,
            answered_last: Seq(1_000),
            half_gone: since,
            window: (window, window),
            rests_until: since,
            offences: 0,
            orders: (false, false),
            // The reply to its question was the first message.
            next_seq: 1,
        }
    }

    /// Appends what can still make a difference.
    pub(super) fn describe(&self, now: Time, out: &mut String) {
        let Self { told, reaped, drained, window, offences, .. } = self;
        let half_gone = (reaped != drained).then_some(self.half_gone);
        let rests_until = Some(self.rests_until).filter(|until| *until > now);
        let _ = write!(out, "{told}{reaped}{drained}{half_gone:?}");
        if !(*reaped && *drained) {
            let _ = write!(out, "{} {rests_until:?} {offences}", window.0);
        }
    }

    /// It is there, and was not told to leave.
    const fn holds(&self) -> bool {
        !(self.told || self.reaped || self.drained)
    }
}

impl Model {
    /// Both workers listen, and nobody has come.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let windows = [limits.lane_window, limits.channel_window];
        Self {
            limits,
            now: Time::ZERO,
            sides: windows.map(|it| Side::new(it, Time::ZERO)).into(),
            conns: Vec::new(),
            open: true,
            polled: true,
            failed_at: None,
            closing: false,
            books: Books::default(),
        }
    }

    /// What this worker owes an answer for, the first offer first.
    pub fn offered_to(&self, at: usize) -> impl Iterator<Item = (usize, Seq, Time)> + use<> {
        let offers = self.conns.iter().enumerate().filter_map(|(conn, it)| match it.at {
            At::Offered(worker, seq, since) if worker == at => Some((conn, seq, since)),
            _ => None,
        });
        let mut offers: Vec<_> = offers.collect();
        offers.sort_by_key(|it| it.1);
        offers.into_iter()
    }

    /// Whether this worker is to be given a connection that waits.
    #[must_use]
    pub fn is_free(&self, at: usize) -> bool {
        let (side, mut owed) = (&self.sides[at], 0);
        let mut window = side.window.0;
        for (_, _, since) in self.offered_to(at) {
            owed += 1;
            if self.now - since > self.limits.slow {
                window = 1;
            }
        }
        side.holds() && owed < window && self.now >= side.rests_until
    }

    /// Takes in what happens, before the machine does.
    pub fn hear(&mut self, letter: Letter) {
        match letter {
            Letter::Accept => {
                self.conns.push(Conn { at: At::Held, since: self.now, refusals: 0 });
            }
            Letter::AcceptFails(failure) => {
                self.books.failures += 1;
                if failure != AcceptFailure::Connection {
                    self.failed_at = Some(self.now);
                }
            }
            Letter::Answer(at, nth, saying) => self.answered(at, nth, saying),
            Letter::Forged => {
                self.books.stray += 1;
                self.sides[0].offences += 1;
                self.sides[0].orders.1 |= self.sides[0].offences == self.limits.offences + 1;
            }
            Letter::Exits(at) => self.ends(at, |it| it.reaped = true),
            Letter::Drains(at) => self.ends(at, |it| it.drained = true),
            Letter::Proves(conn, proof) => self.proven(conn, proof),
            Letter::Timer => self.time_passed(),
            Letter::Leaves(at) => {
                let held = self.sides[at].holds();
                self.sides[at].orders.0 = held;
                self.sides[at].told = true;
                if held && !self.sides.iter().any(Side::holds) {
                    self.close();
                }
            }
            Letter::Closes => self.close(),
        }
    }

    fn answered(&mut self, at: usize, nth: usize, saying: Saying) {
        let Some((conn, seq, since)) = self.offered_to(at).nth(nth) else {
            return;
        };
        let (took, side) = (self.now - since, &mut self.sides[at]);
        side.answered_last = seq;
        if took > self.limits.slow {
            side.window.0 = 1;
        } else if took <= self.limits.quick {
            side.window.0 = (2 * side.window.0).min(side.window.1);
        }
        match saying {
            Saying::Yes => self.conns[conn].at = At::Due(End::Taken(worker(at))),
            Saying::No | Saying::Lost => {
                side.rests_until = self.now + self.limits.refusal_rest;
                self.conns[conn].refusals += 1;
                if self.conns[conn].refusals > self.limits.refusals {
                    self.conns[conn].at = At::Due(End::Closed(CloseReason::AllRefused));
                } else {
                    self.comes_back(conn);
                }
            }
        }
    }

    fn comes_back(&mut self, conn: usize) {
        self.books.again += u64::from(self.open);
        let closed = At::Due(End::Closed(CloseReason::ListenerClosed));
        self.conns[conn].at = if self.open { At::Held } else { closed };
    }

    fn ends(&mut self, at: usize, how: impl FnOnce(&mut Side)) {
        let side = &mut self.sides[at];
        how(side);
        if !(side.reaped && side.drained) {
            side.half_gone = self.now;
            return;
        }
        for (conn, seq, _) in self.offered_to(at) {
            self.conns[conn].at = At::ToJudge(at, seq);
        }
    }

    fn proven(&mut self, conn: usize, proof: Proof) {
        // Nobody has asked: it changes nothing.
        if !matches!(self.conns[conn].at, At::Judged(_)) {
            return;
        }
        let closed = |reason| At::Due(End::Closed(reason));
        match proof {
            Proof::NeverSent | Proof::Untouched => self.comes_back(conn),
            Proof::Touched => self.conns[conn].at = closed(CloseReason::Touched),
            Proof::PeerGone => self.conns[conn].at = closed(CloseReason::PeerGone),
            Proof::Unprovable => self.conns[conn].at = closed(CloseReason::Unprovable),
        }
    }

    /// Sockets that outlive their worker are given up; what a worker owes that has closed its own is lost.
    fn time_passed(&mut self) {
        for at in 0..WORKERS {
            let side = &self.sides[at];
            let over = |wait: Duration| side.half_gone + wait <= self.now;
            if side.reaped && !side.drained && over(self.limits.exit_drain) {
                self.ends(at, |it| it.drained = true);
            } else if side.drained && !side.reaped && over(self.limits.abandoned_after) {
                for (conn, ..) in self.offered_to(at) {
                    self.conns[conn].at = At::Due(End::Closed(CloseReason::Abandoned));
                }
            }
        }
    }

    fn close(&mut self) {
        if !self.open {
            return;
        }
        (self.open, self.closing) = (false, true);
        for conn in self.conns.iter_mut().filter(|it| it.at == At::Held) {
            conn.at = At::Due(End::Closed(CloseReason::ListenerClosed));
        }
    }

    /// Whether a connection has waited for as long as it may.
    #[must_use]
    pub fn is_overdue(&self, conn: &Conn) -> bool {
        conn.at == At::Held && conn.since + self.limits.held_for <= self.now
    }

    /// Takes in what the machine wants done, which must be what is due.
    ///
    /// # Errors
    /// When it is not.
    pub fn act(&mut self, action: &Action) -> Checked {
        let wrong = |check| Err(Broken::new(check, format!("nothing asks for {action:?}")));
        match action {
            Action::Offer { worker, seq, conn, .. } => self.offered(*worker, *seq, *conn),
            Action::Prove { conn, worker: by, seq } => {
                let conn = self.conn(*conn)?;
                match conn.at {
                    At::ToJudge(at, offer) if (worker(at), offer) == (*by, *seq) => {
                        conn.at = At::Judged((at, offer));
                        Ok(())
                    }
                    _ => wrong(Check::C3Reoffer),
                }
            }
            Action::Release { conn, end } => self.released(*conn, *end),
            Action::Accept { on, .. } if *on != self.polled && (self.open || !on) => {
                self.polled = *on;
                Ok(())
            }
            Action::Accept { .. } => wrong(Check::C6BackPressure),
            Action::CloseListener { .. } if self.closing => {
                (self.closing, self.polled) = (false, false);
                Ok(())
            }
            Action::CloseListener { .. } => wrong(Check::C9SocketLife),
            Action::Send { worker, seq, message: ToWorker::Disconnect } => {
                let side = self.side(*worker)?;
                let due = std::mem::take(&mut side.orders.0) && side.takes_seq(*seq);
                ensure(due, Check::WorkerSide, || format!("nothing asks for {action:?}"))
            }
            Action::CloseChannel { worker } => {
                let side = self.side(*worker)?;
                let due = std::mem::take(&mut side.orders.1) || side.reaped;
                ensure(due, Check::WorkerSide, || format!("nothing asks for {action:?}"))
            }
            // What is told is the matter of the tests beside the machine.
            Action::Notify(_) => Ok(()),
            Action::Send { .. }
            | Action::Bind { .. }
            | Action::Shed { .. }
            | Action::Look { .. }
            | Action::Count { .. }
            | Action::BindMember { .. }
            | Action::CloseMember { .. }
            | Action::Steer { .. }
            | Action::Watch { .. }
            | Action::Survey { .. }
            | Action::Rescue { .. } => wrong(Check::WorkerSide),
        }
    }

    fn offered(&mut self, to: WorkerId, seq: Seq, conn: ConnId) -> Checked {
        let now = self.now;
        let held = self.conn(conn)?.at == At::Held;
        ensure(held, Check::C3Reoffer, || format!("{conn} is offered and does not wait"))?;
        let at = (0..WORKERS).find(|at| worker(*at) == to).filter(|at| self.is_free(*at));
        let Some(at) = at else {
            return ensure(false, Check::C5Bounds, || format!("{conn} is offered to {to}"));
        };
        let is_new = self.sides[at].takes_seq(seq);
        ensure(is_new, Check::C2OneOwner, || format!("{seq} was another offer's number"))?;
        self.conn(conn)?.at = At::Offered(at, seq, now);
        Ok(())
    }

    fn released(&mut self, id: ConnId, end: End) -> Checked {
        let late = End::Closed(CloseReason::HeldTooLong);
        let conn = *self.conn(id)?;
        let due = conn.at == At::Due(end) || end == late && self.is_overdue(&conn);
        ensure(due, Check::C4Copy, || format!("{id} is let go as {end:?} and is {conn:?}"))?;
        match end {
            End::Taken(_) => self.books.taken += 1,
            End::Closed(reason) => self.books.closed[reason as usize] += 1,
        }
        self.conn(id)?.at = At::Gone;
        Ok(())
    }

    fn conn(&mut self, id: ConnId) -> Result<&mut Conn, Broken> {
        let at = usize::try_from(id.0).unwrap_or(usize::MAX);
        let unknown = || Broken::new(Check::C1Account, format!("nobody knows connection {id}"));
        self.conns.get_mut(at).ok_or_else(unknown)
    }

    fn side(&mut self, id: WorkerId) -> Result<&mut Side, Broken> {
        let at = (0..WORKERS).find(|at| worker(*at) == id);
        let unknown = || Broken::new(Check::WorkerSide, format!("nobody knows worker {id}"));
        at.map(|at| &mut self.sides[at]).ok_or_else(unknown)
    }

    /// Whether an order is left that a worker was to be given.
    #[must_use]
    pub fn has_orders(&self) -> bool {
        self.sides.iter().any(|it| it.orders.0 || it.orders.1)
    }
}

impl Side {
    /// Numbers only grow.
    const fn takes_seq(&mut self, seq: Seq) -> bool {
        let is_new = seq.0 >= self.next_seq;
        self.next_seq = seq.0 + 1;
        is_new
    }
}
