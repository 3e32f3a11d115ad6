//! How a process ends by itself, and what it makes of signals.

use portcrew_core::primary::Exit;
use portcrew_core::supervise::Force;

use super::process::{Process, Run, Server, Serving};
use crate::sim::plan::{Manner, Obeys};

/// Steps after which a program ends that is not worth more.
const FEW: u32 = 6;

impl Process {
    /// Its program ends, if that is its vice and this is the time.
    pub(super) fn ends_by_itself(&mut self) -> bool {
        self.steps += u32::from(self.is_about_to_end());
        let ends = self.steps > FEW;
        if ends {
            self.die(Exit::Code(1));
        }
        ends
    }

    /// Its program ends within a few steps: it is not at rest before that, however idle it is. Were time to pass meanwhile,
    /// it would have served for as long as a trial asks for, and nobody could tell it from a good one.
    #[must_use]
    pub fn is_about_to_end(&self) -> bool {
        let is_worn = match self.temper.manner {
            Manner::Exiting => true,
            Manner::Brief => self.serves_any(),
            Manner::Honest
            | Manner::Slow
            | Manner::Refusing
            | Manner::Lying
            | Manner::Crashing(_)
            | Manner::Deserting
            | Manner::Bequeathing
            | Manner::Mute => false,
        };
        is_worn && self.is_running()
    }

    /// A program that gets no listener at all has nothing to do. Every second one ends; the others live on.
    pub(super) fn gives_up(&mut self) {
        if self.is_alive() && !self.wants_any() && self.id.0 % 2 == 1 {
            self.die(Exit::Code(1));
        }
    }

    fn serves_any(&self) -> bool {
        let open = |it: &Server| matches!(it.state, Serving::Open | Serving::Shared(_));
        self.servers.iter().any(open)
    }

    /// It has a listener, or will.
    #[must_use]
    pub fn wants_any(&self) -> bool {
        self.servers.iter().any(|it| it.wanted && it.state != Serving::Closed)
    }

    /// It closes its listeners, or has.
    #[must_use]
    pub const fn is_leaving(&self) -> bool {
        self.brain.is_leaving()
    }

    /// A signal reaches it.
    pub fn signalled(&mut self, force: Force) {
        match (self.run, force) {
            // The kernel keeps what is left of it; nobody is there to notice.
            (Run::Zombie(_) | Run::Reaped, _) => {}
            (Run::Running | Run::Frozen, Force::Kill) => self.killed(),
            (Run::Frozen, Force::Terminate | Force::Report) => self.sigterm = true,
            (Run::Running, Force::Terminate | Force::Report) => self.obeys(),
        }
    }

    fn killed(&mut self) {
        if self.temper.obeys == Obeys::Late && !self.doomed {
            (self.run, self.doomed) = (Run::Frozen, true);
            return;
        }
        self.die(Exit::Signal(9));
        // The whole group is killed. Some grandchildren have left it.
        if self.temper.manner == Manner::Bequeathing && self.id.0 % 2 == 0 && self.link.worker_end {
            self.link.close_worker_end();
        }
    }

    fn obeys(&mut self) {
        match self.temper.obeys {
            Obeys::AtOnce => self.die(Exit::Signal(15)),
            Obeys::InTime if self.has_deserted() || !self.link.primary_end => {
                self.die(Exit::Code(0));
            }
            Obeys::InTime => self.disconnect(),
            Obeys::Never | Obeys::Late => {}
        }
    }

    /// It was killed, and sleeps in the kernel: SIGKILL waits until it wakes.
    #[must_use]
    pub fn sleeps(&self) -> bool {
        self.doomed && self.run == Run::Frozen
    }

    /// A stopped one goes on: what waited for that happens now.
    pub fn goes_on(&mut self) {
        self.run = Run::Running;
        if self.doomed {
            self.killed();
        } else if std::mem::take(&mut self.sigterm) {
            self.obeys();
        }
    }
}
