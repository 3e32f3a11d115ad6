//! Who seems to be held up, and has served what it owes an answer for: asked of the kernel, before somebody else is
//! given its turn.

use std::os::fd::AsFd as _;

use portcrew_core::primary::Event;
use portcrew_core::{ConnId, ListenerId};
use portcrew_ipc::probe::figures;

use super::driver::Driver;

impl Driver {
    /// Looks at what holds workers up, as long as that shows something. In a crew that is quick there is nothing.
    pub(super) fn tell_served(&mut self, listener: ListenerId) {
        loop {
            let owed = self.machine.held_up_by(self.now, listener);
            let served: Vec<_> = owed.filter(|(.., conn)| self.has_served(*conn)).collect();
            if served.is_empty() {
                return;
            }
            for (worker, seq, _) in served {
                self.tell(Event::Served { worker, seq });
            }
        }
    }

    /// Whether somebody has written on it. Of what is no TCP connection nothing is known.
    fn has_served(&self, conn: ConnId) -> bool {
        let figures = self.conns.get(conn).and_then(|it| figures(it.as_fd()).ok());
        figures.is_some_and(|it| it.sent + it.notsent > 0)
    }
}
