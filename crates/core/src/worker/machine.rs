//! The machine: its state, and the one place where events are told apart.

use std::collections::BTreeMap;

use super::servers::Server;
use super::{Action, Carrier, Event, Verdict};
use crate::{ConnId, FromWorker, Query, Seq, ServerId, ToWorker};

/// How far the worker's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It serves.
    Serving,
    /// It leaves: its listeners are closed, it finishes what it has.
    Draining(Wish),
    /// It has finished and waits for the primary to hear its farewell.
    SayingFarewell(Seq),
    /// The channel is closed by this side; the end of the stream is still to come.
    Closing,
    /// The channel is at its end.
    Disconnected,
}

/// Who wants the worker to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The primary: it knows already.
    Primarys,
    /// The worker itself: it says so, and waits until it was heard.
    Own,
}

/// The worker's machine. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Worker {
    pub(super) life: Life,
    pub(super) servers: BTreeMap<ServerId, Server>,
    next_seq: u64,
}

impl Default for Worker {
    fn default() -> Self {
        Self::new()
    }
}

impl Worker {
    /// A worker that has said nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            life: Life::Serving,
            servers: BTreeMap::new(),
            next_seq: 0,
        }
    }

    /// Takes in what happened and appends what is to be done.
    pub fn handle(&mut self, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Started { lane } => {
                // The first message, so its number is 0, as Node's always is.
                self.send(FromWorker::Online { lane }, out);
            }
            Event::Listen { server, query } => self.listen(server, query, out),
            Event::Message { message } => self.message(message, out),
            Event::Offered { seq, carrier, conn } => self.offered(seq, &carrier, conn, out),
            Event::SharedReady { server, outcome } => self.shared_ready(server, outcome, out),
            Event::CloseServer { server } => self.close_server(server, out),
            Event::Disconnect => self.leave(Wish::Own, out),
            Event::Finished => self.finished(out),
            Event::Eof => self.eof(out),
        }
    }

    /// Whether the worker was told to leave or wants to.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        !matches!(self.life, Life::Serving)
    }

    /// Whether the channel is open.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        !matches!(self.life, Life::Closing | Life::Disconnected)
    }

    pub(super) const fn take_seq(&mut self) -> Seq {
        let seq = Seq(self.next_seq);
        self.next_seq += 1;
        seq
    }

    /// Sends a message that nobody will answer.
    pub(super) fn send(&mut self, message: FromWorker, out: &mut Vec<Action>) {
        let seq = self.take_seq();
        out.push(Action::Send { seq, message });
    }

    fn message(&mut self, message: ToWorker, out: &mut Vec<Action>) {
        match message {
            ToWorker::Reply {
                ack,
                key,
                listener,
                data: _,
                reply,
            } => {
                self.replied(ack, key, listener, reply, out);
            }
            ToWorker::Disconnect => self.leave(Wish::Primarys, out),
            ToWorker::FarewellHeard { ack } => self.farewell_heard(ack, out),
        }
    }

    /// Takes a connection, or refuses it: the listener may have been closed while it was on its way.
    fn offered(
        &mut self,
        seq: Seq,
        carrier: &Carrier,
        conn: Option<ConnId>,
        out: &mut Vec<Action>,
    ) {
        let Some(conn) = conn else {
            // Towards Node this must be an answer, never a NACK: after a NACK it forgets the client.
            self.answer(carrier, seq, Verdict::Lost, out);
            return;
        };
        let Some((server, proof)) = self.server_of(carrier) else {
            self.answer(carrier, seq, Verdict::Refused, out);
            out.push(Action::Drop { conn });
            return;
        };
        let deliver = Action::Deliver { server, conn };
        if matches!(carrier, Carrier::Lane(_)) && proof == Proof::Kernel {
            // The user may touch it before the answer is out: the kernel's proof covers the gap.
            out.push(deliver);
            self.answer(carrier, seq, Verdict::Accepted, out);
        } else {
            self.answer(carrier, seq, Verdict::Accepted, out);
            out.push(deliver);
        }
    }

    fn answer(&mut self, carrier: &Carrier, seq: Seq, verdict: Verdict, out: &mut Vec<Action>) {
        match carrier {
            Carrier::Lane(_) => out.push(Action::AnswerLane { seq, verdict }),
            Carrier::Channel(_) => {
                let accepted = verdict == Verdict::Accepted;
                self.send(FromWorker::Answer { ack: seq, accepted }, out);
            }
        }
    }
}

/// Whether the primary can find out that a connection is untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// TCP: it can ask the kernel.
    Kernel,
    /// Unix-domain: it cannot, so the answer goes out before anything else.
    None,
}

impl Proof {
    pub(super) const fn of(query: &Query) -> Self {
        if query.address.is_unix() {
            Self::None
        } else {
            Self::Kernel
        }
    }
}
