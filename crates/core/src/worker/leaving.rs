//! How a worker leaves: asked to, by its own will, or because the primary has gone.

use super::Action;
use super::indexes::Indexes;
use super::machine::{Life, Wish, Worker};
use crate::{FromWorker, Seq};

impl Worker {
    /// Closes every listener and lets the user finish.
    pub(super) fn leave(&mut self, wish: Wish, out: &mut Vec<Action>) {
        match self.life {
            Life::Serving => {}
            // The primary's word makes the farewell needless.
            Life::Draining(_) => {
                if wish == Wish::Primarys {
                    self.life = Life::Draining(wish);
                }
                return;
            }
            // Both said it at once. The primary's word is as good as its answer, which need not come any more.
            Life::SayingFarewell(_) => {
                if wish == Wish::Primarys {
                    self.close_channel(out);
                }
                return;
            }
            // Leaving already, or gone.
            Life::Closing | Life::Disconnected => return,
        }
        self.life = Life::Draining(wish);
        let ids: Vec<_> = self.servers.keys().copied().collect();
        for id in ids {
            self.close_server(id, out);
        }
        self.unpark(out);
        out.push(Action::Drain);
    }

    /// No connection of this worker is open any more.
    pub(super) fn finished(&mut self, out: &mut Vec<Action>) {
        match self.life {
            Life::Draining(Wish::Primarys) => self.close_channel(out),
            Life::Draining(Wish::Own) => {
                let seq = self.take_seq();
                self.life = Life::SayingFarewell(seq);
                out.push(Action::Send { seq, message: FromWorker::ExitedAfterDisconnect { seq } });
            }
            // Nobody asked for an end: to have no connection is no reason to leave.
            Life::Serving => {}
            Life::SayingFarewell(_) | Life::Closing | Life::Disconnected => {}
        }
    }

    pub(super) fn farewell_heard(&mut self, ack: Seq, out: &mut Vec<Action>) {
        match self.life {
            Life::SayingFarewell(seq) if seq == ack => self.close_channel(out),
            // An answer to nothing that was said.
            Life::SayingFarewell(_)
            | Life::Serving
            | Life::Draining(_)
            | Life::Closing
            | Life::Disconnected => {}
        }
    }

    fn close_channel(&mut self, out: &mut Vec<Action>) {
        self.life = Life::Closing;
        self.telling.clear();
        out.push(Action::CloseChannel);
    }

    pub(super) fn eof(&mut self, out: &mut Vec<Action>) {
        let planned = match self.life {
            Life::Serving => false,
            Life::Draining(_) | Life::SayingFarewell(_) | Life::Closing => true,
            // The end comes once.
            Life::Disconnected => return,
        };
        self.life = Life::Disconnected;
        // There is nobody left to answer.
        self.untaken.clear();
        self.telling.clear();
        let servers = std::mem::take(&mut self.servers);
        self.indexes = Indexes::new();
        out.extend(servers.into_keys().map(|server| Action::Closed { server }));
        self.drop_parked(out);
        out.push(Action::Disconnected { planned });
    }
}
