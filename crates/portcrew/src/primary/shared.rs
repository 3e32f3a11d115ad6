//! Listening sockets that workers have too. What one of them does to such a socket is done to all: one that was shut down
//! listens again.

use portcrew_core::ListenerId;

use super::driver::Driver;
use super::streak::Shut;
use crate::{Error, Event};

impl Driver {
    /// A worker is about to get it, or it was found to be shut down a little while ago.
    pub(super) fn watch_shared(&mut self, listener: ListenerId) {
        if self.retries.leaves_unwatched(listener) {
            return;
        }
        let watched = if self.spread.has(listener) {
            self.spread.watch_ends(listener, &self.ready)
        } else {
            self.sockets.watch(listener, &self.ready)
        };
        if let Err(after) = watched {
            self.watch_later(listener, after);
        }
    }

    pub(super) fn look_at_shared(&mut self, listener: ListenerId) {
        let is_spread = self.spread.has(listener);
        let shut = if is_spread {
            self.spread.was_shut(listener, self.now)
        } else {
            self.sockets.was_shut(listener, self.now)
        };
        let Some(Shut { is_new, watch_after }) = shut else {
            return;
        };
        let again = if is_spread {
            self.spread.listen_again(listener)
        } else {
            self.sockets.listen_again(listener)
        };
        let error = match again {
            Ok(Some(port)) if is_new => Some(Error::ListenerShut { port }),
            // Somebody else was faster; or it is done again and again, which was told.
            Ok(_) => None,
            Err(refused) => {
                Some(Error::io("listen again on a socket that a worker shut down")(refused.source))
            }
        };
        if let Some(error) = error {
            self.events.push(Event::Error { worker: None, error });
        }
        // Not at once: a worker that does it again and again costs no more than a look now and then.
        self.watch_later(listener, watch_after);
    }
}
