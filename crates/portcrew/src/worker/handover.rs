//! The lane, and what is said on it: answers and ends, gathered while the user takes and lets go, sent together; and
//! that this task still gets its turn.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use portcrew_core::worker::{Carrier, Event, Verdict};
use portcrew_core::{ConnId, ListenerId, Seq, ServerId};
use portcrew_ipc::error::LaneError;
use portcrew_ipc::lane::{self, Answer, Ended, LaneEvent, LaneWorker, Offered};
use portcrew_ipc::reactor::wake_after_others;

use super::driver::Driver;
use crate::link::Again;

/// How often the lane is read in one turn before other tasks get theirs.
const READS_PER_TURN: usize = 4;

/// The lane with its answers. Without one, all connections come by the channel.
pub(super) struct Handover {
    lane: Option<LaneWorker>,
    /// Kept for its memory.
    offered: Vec<Offered>,
    answers: Vec<Answer>,
    /// Behind the answers that promised them.
    ended: Vec<Ended>,
    /// The runtime has asked the kernel what is ready since the first of both, as a rule: what was just accepted has had
    /// its first run, and where its request was there already the second, before the primary hears of it. A worker that
    /// is held by a request then has not answered for it yet, and is given no other to wait behind it. (Whatever else
    /// wakes the driver meanwhile, a message or an end, lets the answer go earlier. It is as true then, only less telling.)
    ripe: bool,
    /// Connections that are answered and are handed out as soon as the answer is written.
    pub(super) releases: Vec<(ServerId, ConnId)>,
}

/// Connections that no listener's queue has yet.
#[derive(Debug, Default)]
pub(super) struct Conns {
    // Nearly always one at a time.
    list: Vec<(ConnId, OwnedFd)>,
    next: u64,
}

impl Conns {
    pub(super) fn add(&mut self, socket: OwnedFd) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.list.push((conn, socket));
        conn
    }

    pub(super) fn take(&mut self, conn: ConnId) -> Option<OwnedFd> {
        let place = self.list.iter().position(|(it, _)| *it == conn)?;
        Some(self.list.remove(place).1)
    }
}

impl Handover {
    pub(super) fn new(lane: Option<OwnedFd>) -> io::Result<Self> {
        Ok(Self {
            lane: lane.map(LaneWorker::from_fd).transpose()?,
            offered: Vec::new(),
            answers: Vec::new(),
            ended: Vec::new(),
            ripe: false,
            releases: Vec::new(),
        })
    }

    pub(super) fn has_lane(&self) -> bool {
        self.lane.is_some()
    }

    pub(super) fn answer(&mut self, seq: Seq, verdict: Verdict) {
        let verdict = match verdict {
            Verdict::Accepted => lane::Verdict::Accepted,
            Verdict::Kept => lane::Verdict::Kept,
            Verdict::Refused => lane::Verdict::Refused,
            Verdict::Lost => lane::Verdict::Lost,
        };
        self.answers.push(Answer { seq: seq.0, verdict });
    }

    pub(super) fn tell_end(&mut self, seq: Seq) {
        self.ended.push(Ended { seq: seq.0 });
    }

    /// Sends what is to be said when its time has come. True when nothing is left.
    fn poll_say(&mut self, cx: &mut Context<'_>, at_once: bool, again: &Again) -> bool {
        self.beat(cx, again);
        if self.is_silent() {
            return true;
        }
        if !self.ripe && !at_once {
            self.ripe = true;
            wake_after_others(cx);
            return false;
        }
        self.ripe = true;
        match self.send(cx, again) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) => {}
            // Nobody is left who would hear it.
            Poll::Ready(Err(_)) => self.lane = None,
        }
        self.answers.clear();
        self.ended.clear();
        self.ripe = false;
        true
    }

    /// Shows that this task still gets its turn, if the primary has asked. That waits for nothing: how long the answer
    /// takes is what it says.
    fn beat(&mut self, cx: &mut Context<'_>, again: &Again) {
        while let Some(lane) = &mut self.lane {
            match lane.try_beat() {
                Ok(true) => return,
                Ok(false) => match lane.poll_writable(cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(_)) => return again.soon(cx.waker()),
                    Poll::Pending => return,
                },
                // Nobody is left who would hear it.
                Err(_) => self.lane = None,
            }
        }
    }

    fn send(&mut self, cx: &mut Context<'_>, again: &Again) -> Poll<Result<(), LaneError>> {
        let Some(lane) = &mut self.lane else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let sent = lane.try_answer(&self.answers)?;
            self.answers.drain(..sent);
            if self.answers.is_empty() {
                let sent = lane.try_tell_ended(&self.ended)?;
                self.ended.drain(..sent);
            }
            if self.answers.is_empty() && self.ended.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if ready!(lane.poll_writable(cx)).is_err() {
                // There is nothing to wait with, as when this process has all the descriptors that it may.
                again.soon(cx.waker());
                return Poll::Pending;
            }
        }
    }

    fn is_silent(&self) -> bool {
        self.answers.is_empty() && self.ended.is_empty()
    }
}

impl Driver {
    /// Takes what the primary offers by the lane.
    pub(super) fn receive(&mut self, cx: &mut Context<'_>) {
        for _ in 0..READS_PER_TURN {
            let Some(lane) = &mut self.handover.lane else {
                return;
            };
            match lane.poll_conns(cx, &mut self.handover.offered) {
                Poll::Pending => return,
                Poll::Ready(Ok(LaneEvent::Received)) => {}
                // The channel tells what that means for the worker.
                Poll::Ready(Ok(LaneEvent::Closed) | Err(_)) => self.handover.lane = None,
            }
            let mut offered = std::mem::take(&mut self.handover.offered);
            for (record, socket) in offered.drain(..) {
                let conn = socket.map(|socket| self.conns.add(socket));
                let carrier = Carrier::Lane(ListenerId(record.listener));
                let event = Event::Offered { seq: Seq(record.seq), carrier, conn };
                self.events.push_back(event);
            }
            self.handover.offered = offered;
            self.decide();
        }
        // There may be more.
        cx.waker().wake_by_ref();
    }

    /// Writes what there is, and hands out what was answered first.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) {
        let at_once = !self.handover.releases.is_empty() || self.leaving.close;
        let answered = self.handover.poll_say(cx, at_once, &self.again);
        let written = self.talk.poll_write(cx);
        if written.later {
            self.again.soon(cx.waker());
        }
        if answered && written.own {
            for (server, conn) in self.handover.releases.drain(..) {
                if let Some(it) = self.servers.get(&server) {
                    it.inflow.release(conn);
                }
            }
        }
        if self.leaving.close && answered && self.talk.poll_close(cx) {
            self.leaving.close = false;
        }
    }
}
