//! What goes wrong between machines, and what users command.

use portcrew_core::primary::{Event, Exit};

use super::plan::{Manner, Temper};
use super::report::Broken;
use super::worker::Run;
use super::world::World;

type Moved = Result<bool, Broken>;

/// More processes than this are not started in one run.
const MOST_PROCESSES: usize = 10;

impl World {
    /// Something happens to a process.
    pub(super) fn fault(&mut self) -> Moved {
        let at = self.rng.index(self.processes.len());
        if !self.plan.faults || self.rng.percent(30) {
            return self.replace();
        }
        let chance = self.rng.below(100);
        let process = &mut self.processes[at];
        let did = match (process.run, chance) {
            (Run::Running, 0..25) => {
                process.die(Exit::Signal(9));
                "is killed"
            }
            (Run::Running, 25..45) => {
                process.run = Run::Frozen;
                "is stopped"
            }
            (Run::Frozen, 0..60) => {
                process.run = Run::Running;
                "goes on"
            }
            (Run::Frozen, 60..) => {
                process.die(Exit::Signal(9));
                "is killed while stopped"
            }
            (Run::Running, 45..75) if process.temper.manner == Manner::Deserting => {
                process.desert();
                "closes its channel and lives on"
            }
            (Run::Running | Run::Zombie(_) | Run::Reaped, _) => return Ok(false),
        };
        self.seen.saw(did);
        let worker = process.id;
        self.trace.say(|| format!("    worker {worker} {did}"));
        Ok(true)
    }

    /// A successor for one who is gone: a new process with a new number.
    fn replace(&mut self) -> Moved {
        let alive = self.processes.iter().filter(|it| it.is_alive()).count();
        if self.processes.len() >= MOST_PROCESSES || alive >= self.plan.crew.len() {
            return Ok(false);
        }
        self.seen.saw("successor started");
        let temper = Temper::draw(&mut self.rng, self.plan.faults);
        self.fork(temper, false)?;
        Ok(true)
    }

    /// A user of the primary or of a worker wants something.
    pub(super) fn command(&mut self) -> Moved {
        let at = self.rng.index(self.processes.len());
        let worker = self.processes[at].id;
        match self.rng.below(100) {
            0..25 => {
                self.seen.saw("command: disconnect");
                self.feed(Event::Disconnect { worker })?;
                Ok(true)
            }
            25..45 => Ok(self.in_worker(at, "command: worker leaves", |it, _| {
                it.disconnect();
                true
            })),
            45..88 => {
                let again = self.rng.percent(70);
                let what = "command: worker closes a listener";
                Ok(self.in_worker(at, what, |it, which| it.close_server(which, again)))
            }
            88..96 => {
                let which = self.rng.index(self.plan.queries.len());
                let query = self.plan.queries[which].clone();
                let what = "command: worker listens once more";
                Ok(self.in_worker(at, what, |it, _| {
                    it.listen(query);
                    true
                }))
            }
            _ => self.close_any(),
        }
    }

    fn in_worker(
        &mut self,
        at: usize,
        what: &'static str,
        act: impl FnOnce(&mut super::worker::Process, usize) -> bool,
    ) -> bool {
        let which = self.rng.index(3);
        let process = &mut self.processes[at];
        let did = process.is_running() && act(process, which);
        if did {
            let worker = process.id;
            self.seen.saw(what);
            self.trace.say(|| format!("    {what}: {worker}"));
        }
        did
    }

    fn close_any(&mut self) -> Moved {
        let at = self.rng.index(self.account.listings().count());
        let Some(listener) = self.account.listings().nth(at).map(|it| it.0) else {
            return Ok(false);
        };
        self.seen.saw("command: close listener");
        self.feed(Event::CloseListener { listener })?;
        Ok(true)
    }
}
