//! What is done with a source that is ready: read it, and tell the machine.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::task::Poll;

use portcrew_core::primary::{Event, Exit};
use portcrew_core::{Errno, FromWorker, ListenerId, Seq, WorkerId, supervise};
use portcrew_ipc::lane::{Answer, Ended, LaneEvent, Verdict};
use portcrew_ipc::message::ClusterMessage;

use super::driver::Driver;
use super::link::{SHARED_TOKEN, Written};
use super::readiness;
use super::ready::Source;
use super::reserve;
use super::{Dialect, State};
use crate::link::{Heard, Received};
use crate::net::accept;
use crate::request::is_plain;
use crate::wire::Question;
use crate::{Error, wire};

#[cfg(test)]
mod tests;

/// Connections taken from one listener before the other sources get their turn.
const ACCEPT_BATCH: usize = 64;

/// Messages taken from one channel before the other sources get their turn. Fewer than the user can read in one turn of
/// the runtime (tokio's budget is 128), or a queue of one worker's messages grows that is read as fast as can be.
const MESSAGE_BATCH: usize = 64;

/// Reads of one lane before the other sources get their turn: of up to 16 packets each, with many answers in a packet.
const LANE_READS: usize = 4;

impl Driver {
    pub(super) fn visit(&mut self, source: Source) {
        match source {
            Source::Listener(listener) => self.accept(listener),
            Source::Shared(listener) => self.look_at_shared(listener),
            Source::Stirred(listener) => self.look_if_stirred(listener),
            Source::Channel(worker) => self.read_channel(worker),
            Source::Lane(worker) => self.read_lane(worker),
            Source::Process(worker) => self.look_at_process(worker),
            Source::Look(conn) => self.look_again(conn),
            Source::Ends => self.hear_ends(),
        }
    }

    fn accept(&mut self, id: ListenerId) {
        self.sockets.keep_mode(id);
        let accept = if self.reserve.is_whole() { self.accept_with } else { reserve::refuse };
        for _ in 0..ACCEPT_BATCH {
            let Some(socket) = self.sockets.get_mut(id) else {
                return;
            };
            match socket.poll_accept(accept) {
                Poll::Pending => return,
                Poll::Ready(Ok((conn, peer))) => {
                    let local =
                        if self.machine.needs_local(id) { accept::local(&conn) } else { None };
                    self.giving_way.came();
                    self.tell_served(id);
                    let conn = self.conns.add(conn, id);
                    self.tell(Event::Accepted { listener: id, conn, peer, local });
                }
                Poll::Ready(Err(error)) => {
                    if let Some(failure) = accept::classify(&error) {
                        self.tell(Event::AcceptFailed { listener: id, failure });
                    }
                }
            }
        }
        if let Some(socket) = self.sockets.get(id) {
            socket.again();
        }
    }

    fn read_lane(&mut self, worker: WorkerId) {
        let (mut ended, mut beats) = (Vec::new(), Vec::new());
        for _ in 0..LANE_READS {
            let Some(link) = self.links.get_mut(&worker) else {
                return;
            };
            let mut answers = std::mem::take(&mut self.answers);
            let event = link.poll_lane(&mut answers, &mut ended, &mut beats);
            for answer in answers.drain(..) {
                self.answered(worker, answer);
            }
            self.answers = answers;
            // Behind the answers: one of them may have promised one of these.
            for Ended { seq } in ended.drain(..) {
                self.tell(Event::EndTold { worker, seq: Seq(seq) });
            }
            for beat in beats.drain(..) {
                self.heard_beat(worker, beat);
            }
            match event {
                // It may have been woken because there is room again.
                Poll::Pending => return self.mark_dirty(worker),
                Poll::Ready(Ok(LaneEvent::Received)) => {}
                Poll::Ready(Ok(LaneEvent::Closed)) => return self.lane_ended(worker),
                // Records cannot be told apart any more: nothing it says can be trusted.
                Poll::Ready(Err(_)) => {
                    self.tell(Event::Offence { worker });
                    self.close_channel(worker);
                    return self.settle();
                }
            }
        }
        self.mark_dirty(worker);
        if let Some(link) = self.links.get(&worker) {
            link.wake_lane();
        }
    }

    /// The worker closed its lane. Its channel ends too: what it has not answered it never will. What it had
    /// said there before is read first.
    fn lane_ended(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.end_lane();
            link.wake_channel();
        }
        self.tell_if_drained(worker);
    }

    fn answered(&mut self, worker: WorkerId, answer: Answer) {
        self.giving_way.was_answered();
        let seq = Seq(answer.seq);
        let message = |accepted| FromWorker::Answer { ack: seq, accepted };
        self.tell(match answer.verdict {
            Verdict::Accepted => Event::Message { worker, message: message(true) },
            Verdict::Refused => Event::Message { worker, message: message(false) },
            Verdict::Lost => Event::NotReceived { worker, seq },
            Verdict::Kept => Event::TakenAndTold { worker, seq },
        });
    }

    fn read_channel(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get(&worker) {
            link.hang();
        }
        let mut left = MESSAGE_BATCH;
        while left > 0 {
            let Some(link) = self.links.get_mut(&worker) else {
                return;
            };
            let taken = link.take_messages(&mut self.messages, left);
            if taken > 0 {
                self.pass_on(worker);
                left -= taken;
                continue;
            }
            left -= 1;
            match link.poll_heard() {
                Poll::Pending => return self.mark_dirty(worker),
                Poll::Ready(Heard::Cluster { message, socket: _closed }) => {
                    self.cluster_message(worker, message);
                }
                Poll::Ready(Heard::News(received)) => self.news(worker, received),
                Poll::Ready(Heard::Answered { token, received }) => {
                    self.handle_answered(worker, token, received);
                }
                Poll::Ready(Heard::Offence) => self.tell(Event::Offence { worker }),
                // A line beyond the limit, or a read that failed: there is no next line.
                Poll::Ready(Heard::Broken) => {
                    self.tell(Event::Offence { worker });
                    return self.channel_ended(worker);
                }
                Poll::Ready(Heard::End) => return self.channel_ended(worker),
            }
        }
        // What we have for it does not wait for all that it has said.
        self.mark_dirty(worker);
        if let Some(link) = self.links.get(&worker) {
            link.wake_channel();
        }
    }

    /// Messages of a worker's user go to ours.
    fn pass_on(&mut self, worker: WorkerId) {
        let mut messages = std::mem::take(&mut self.messages);
        for message in messages.drain(..) {
            if is_plain(&message) && !readiness::is_ready(&message) {
                self.events.add_message(worker, message);
                continue;
            }
            let received = self.links.get(&worker).and_then(|link| link.open(message));
            if let Some(received) = received {
                self.news(worker, received);
            }
        }
        self.events.publish();
        self.messages = messages;
    }

    fn channel_ended(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.end_channel();
            // A lane without a channel serves nobody, but its last answers count: read it to its end.
            link.finish_lane();
        }
        self.tell_if_drained(worker);
    }

    pub(super) fn tell_if_drained(&mut self, worker: WorkerId) {
        self.end_if_drained(worker);
        self.settle();
    }

    fn cluster_message(&mut self, worker: WorkerId, message: ClusterMessage) {
        let question = wire::question(&message);
        let beats = wire::knows_beats(&message);
        let Some(message) = wire::decode_from_worker(message) else {
            if let Some(question) = question {
                self.refuse(worker, question);
            }
            // Node ignores what it does not know; so do we, and count it.
            return self.tell(Event::Offence { worker });
        };
        if let (FromWorker::Online { lane }, Some(link)) = (&message, self.links.get_mut(&worker)) {
            // Said again it changes nothing: connections may be on the lane by now.
            let is_first = link.shared.status().state == State::Started;
            if is_first {
                link.agree_on_lane(*lane);
            }
            let is_asked = is_first && beats && link.dialect() == Some(Dialect::Lane);
            // Measured with Bun 1.4: it says that it has the connection, and dies.
            if link.dialect() == Some(Dialect::Bun) {
                self.tell(Event::AcceptsAlone { worker });
            }
            if is_asked {
                self.crew_tell(supervise::Event::Beats { worker });
            }
        }
        self.tell(Event::Message { worker, message });
    }

    /// Answers a question that makes no sense: else its `listen` would wait for ever.
    fn refuse(&mut self, worker: WorkerId, question: Question) {
        let errno = Errno::INVALID;
        self.send_wire(worker, wire::encode_refusal(&question, errno), None);
        let error = std::io::Error::from_raw_os_error(errno.0);
        let address = question.address;
        self.events.push(crate::Event::ListenFailed { worker, address, error, lacks: None });
        self.crew_tell(supervise::Event::CannotListen { worker, errno });
    }

    fn handle_answered(&mut self, worker: WorkerId, token: u64, received: bool) {
        match (received, token) {
            // The next in the outbox may go now; the answer about the connection itself is a message.
            (true, _) => self.mark_dirty(worker),
            (false, SHARED_TOKEN) => {
                let handle = "the listening socket that it asked for".to_owned();
                let error = Error::HandleLost { handle, tries: 1 };
                self.events.push(crate::Event::Error { worker: Some(worker), error });
            }
            (false, seq) => self.tell(Event::NotReceived { worker, seq: Seq(seq) }),
        }
    }

    fn news(&mut self, worker: WorkerId, received: Received) {
        let is_ready = readiness::says_ready(&received);
        self.events.push(match received {
            Received::Message { message, handle, counted } => {
                crate::Event::Message { worker, message, handle, counted }
            }
            Received::Request(request) => crate::Event::Request { worker, request },
            Received::Error(error) => crate::Event::Error { worker: Some(worker), error },
            // The queue of events counts what it drops itself.
            Received::Lagged { dropped } => crate::Event::Lagged { dropped },
        });
        if is_ready {
            self.said_ready(worker);
        }
    }

    fn look_at_process(&mut self, worker: WorkerId) {
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let status = match link.poll_exit() {
            Poll::Pending => return,
            Poll::Ready(Ok(status)) => status,
            Poll::Ready(Err(source)) if link.process.is_lost() => {
                let error = Error::Io { doing: "wait for a worker's process", source };
                self.events.push(crate::Event::Error { worker: Some(worker), error });
                // It has ended, and nobody knows how: neither by a code nor by a signal.
                ExitStatus::from_raw(-1)
            }
            // The system is short of something. The death must not go unnoticed.
            Poll::Ready(Err(_)) => return self.look_later(worker),
        };
        link.shared.status().exit = Some(status);
        self.ended_by_death(worker);
        self.tell(Event::Exited { worker, status: exit_of(status) });
        // Of one without a channel that is all.
        self.tell_if_drained(worker);
    }

    /// Lets go of what belongs to a worker that is both disconnected and exited.
    pub(super) fn forget_if_gone(&mut self, worker: WorkerId) {
        if self.machine.life(worker).is_some() {
            return;
        }
        self.forget_death(worker);
        self.links.remove(&worker);
        self.registry.lock().remove(&worker);
        self.close_unserved();
    }

    /// Writes what waits for one worker.
    pub(super) fn flush_link(&mut self, worker: WorkerId) {
        let Some(link) = self.links.get_mut(&worker) else {
            return;
        };
        let written = link.flush(&self.conns);
        let unasked = link.wrote(self.now, written);
        match written {
            Written::All => {}
            Written::Later => self.write_later(worker),
        }
        if unasked {
            self.crew_tell(supervise::Event::Beat { worker });
        }
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, Some(signal)) => Exit::Signal(signal),
        // Neither: somebody else has waited for it.
        (None, None) => Exit::Code(-1),
    }
}
