//! The machine: its state, and the one place where events are told apart.

use std::collections::BTreeMap;

use super::indexes::Indexes;
use super::servers::{Granted, Server};
use super::telling::Telling;
use super::untaken::Untaken;
use super::{Action, Carrier, Event, Verdict};
use crate::{ConnId, FromWorker, ListenerId, Seq, ServerId, SockName, ToWorker};

/// Offers on the lane that may wait for the reply that names their listener. Beyond it they are refused.
const MOST_PARKED: usize = 64;

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
    pub(super) indexes: Indexes,
    pub(super) untaken: Untaken,
    pub(super) telling: Telling,
    parked: Vec<Parked>,
    next_seq: u64,
}

/// An offer that came by the lane before the reply, on the channel, that names its listener.
#[derive(Debug)]
struct Parked {
    seq: Seq,
    listener: ListenerId,
    conn: ConnId,
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
            indexes: Indexes::new(),
            untaken: Untaken::new(),
            telling: Telling::new(),
            parked: Vec::new(),
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
            Event::Offered { seq, carrier, conn } => self.offered(seq, carrier, conn, out),
            Event::Wanted { conn, told } => self.wanted(conn, told, out),
            Event::Taken { conn, told } => self.taken(conn, told, out),
            Event::Ended { conn } => self.ended(conn, out),
            Event::Returned { conn } => self.returned(conn, out),
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
            ToWorker::Reply { ack, key, listener, data, reply } => {
                self.replied(ack, Granted { key, listener, data }, reply, out);
                self.unpark(out);
            }
            ToWorker::Disconnect => self.leave(Wish::Primarys, out),
            ToWorker::FarewellHeard { ack } => self.farewell_heard(ack, out),
        }
    }

    /// Keeps an offer of the lane that overtook the reply which names its listener. False when none such is
    /// to come, or too many wait.
    pub(super) fn park(&mut self, seq: Seq, listener: ListenerId, conn: ConnId) -> bool {
        let parks = self.may_still_come() && self.parked.len() < MOST_PARKED;
        if parks {
            self.parked.push(Parked { seq, listener, conn });
        }
        parks
    }

    /// Looks at the parked offers anew: what can still not be placed is parked again or refused.
    pub(super) fn unpark(&mut self, out: &mut Vec<Action>) {
        for Parked { seq, listener, conn } in std::mem::take(&mut self.parked) {
            self.offered(seq, Carrier::Lane(listener), Some(conn), out);
        }
    }

    /// The primary is gone: nobody is left to answer.
    pub(super) fn drop_parked(&mut self, out: &mut Vec<Action>) {
        let parked = std::mem::take(&mut self.parked);
        out.extend(parked.into_iter().map(|it| Action::Drop { conn: it.conn }));
    }

    pub(super) fn answer(
        &mut self,
        carrier: &Carrier,
        seq: Seq,
        verdict: Verdict,
        out: &mut Vec<Action>,
    ) {
        match carrier {
            Carrier::Lane(_) => out.push(Action::AnswerLane { seq, verdict }),
            Carrier::Channel(_) => {
                let accepted = match verdict {
                    // Node's protocol has no word for an end, so none is promised there.
                    Verdict::Accepted | Verdict::Kept => true,
                    Verdict::Refused | Verdict::Lost => false,
                };
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
    /// By what the primary says that it is bound to: a descriptor may be either.
    pub(super) const fn of(sockname: Option<&SockName>) -> Self {
        if sockname.is_some() { Self::Kernel } else { Self::None }
    }
}
