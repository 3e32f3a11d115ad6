//! The lane, and the answers: gathered while the user takes, sent together.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use portcrew_core::worker::{Carrier, Event, Verdict};
use portcrew_core::{ConnId, ListenerId, Seq, ServerId};
use portcrew_ipc::error::LaneError;
use portcrew_ipc::lane::{self, Answer, LaneEvent, LaneWorker, Offered};

use super::driver::Driver;

/// How often the lane is read in one turn before other tasks get theirs.
const READS_PER_TURN: usize = 4;

/// The lane with its answers. Without one, all connections come by the channel.
pub(super) struct Handover {
    lane: Option<LaneWorker>,
    /// Kept for its memory.
    offered: Vec<Offered>,
    answers: Vec<Answer>,
    /// A turn has passed since the first of them: the runtime has run everything that was ready then, so
    /// what was just accepted has had its first run before the primary hears of it.
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
            Verdict::Refused => lane::Verdict::Refused,
            Verdict::Lost => lane::Verdict::Lost,
        };
        self.answers.push(Answer { seq: seq.0, verdict });
    }

    /// Sends the answers when their time has come. True when none is left.
    fn poll_answer(&mut self, cx: &mut Context<'_>, at_once: bool) -> bool {
        if self.answers.is_empty() {
            return true;
        }
        if !self.ripe && !at_once {
            self.ripe = true;
            cx.waker().wake_by_ref();
            return false;
        }
        self.ripe = true;
        match self.send_answers(cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) => {}
            // Nobody is left who would hear them.
            Poll::Ready(Err(_)) => self.lane = None,
        }
        self.answers.clear();
        self.ripe = false;
        true
    }

    fn send_answers(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LaneError>> {
        let Some(lane) = &self.lane else {
            return Poll::Ready(Ok(()));
        };
        loop {
            let sent = lane.try_answer(&self.answers)?;
            self.answers.drain(..sent);
            if self.answers.is_empty() {
                return Poll::Ready(Ok(()));
            }
            ready!(lane.poll_writable(cx))?;
        }
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
        let answered = self.handover.poll_answer(cx, at_once);
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
