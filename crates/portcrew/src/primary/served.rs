//! Who seems to be held up, and serves what it owes an answer for: asked of the kernel, before somebody else is given
//! its turn.

use std::os::fd::AsFd as _;

use portcrew_core::primary::Event;
use portcrew_core::{ConnId, ListenerId};
use portcrew_ipc::probe::figures;

use super::driver::Driver;

impl Driver {
    /// Asks about what holds free workers up, as long as that shows something. In a crew that is quick there is
    /// nothing to ask about.
    pub(super) fn tell_served(&mut self, listener: ListenerId) {
        let mut owed = std::mem::take(&mut self.owed);
        loop {
            self.machine.to_ask_about(self.now, listener, &mut owed);
            owed.retain(|(.., conn)| self.is_served(*conn));
            if owed.is_empty() {
                break;
            }
            for (worker, seq, _) in owed.drain(..) {
                self.tell(Event::Served { worker, seq });
            }
        }
        self.owed = owed;
    }

    /// Whether somebody has written on it and left nothing unread. What is written first of all, as in TLS, shows only
    /// that it was taken: the request behind it may be waiting. Of what is no TCP connection nothing is known.
    fn is_served(&self, conn: ConnId) -> bool {
        let figures = self.conns.get(conn).and_then(|it| figures(it.as_fd()).ok());
        figures.is_some_and(|it| it.sent + it.notsent > 0 && it.inq == 0)
    }
}
