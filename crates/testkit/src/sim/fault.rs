//! What goes wrong between machines, and what users command.

use portcrew_core::primary::{Event, Exit, Origin};
use portcrew_core::scheduler::{CpuShare, Seat};
use portcrew_core::supervise::{Generation, SlotId};

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
        let Some(at) = self.any_process() else {
            return Ok(false);
        };
        if self.crew.is_none() && (!self.plan.faults || self.rng.percent(30)) {
            return self.replace();
        }
        if !self.plan.faults {
            return Ok(false);
        }
        if self.rng.percent(6) {
            return self.pause();
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
                process.goes_on();
                "goes on"
            }
            (Run::Frozen, 60..) if !process.doomed => {
                process.die(Exit::Signal(9));
                "is killed while stopped"
            }
            (Run::Running, 45..75) if process.temper.manner == Manner::Deserting => {
                process.desert();
                "closes its channel and lives on"
            }
            (Run::Running | Run::Frozen | Run::Zombie(_) | Run::Reaped, _) => return Ok(false),
        };
        self.seen.saw(did);
        let worker = process.id;
        self.trace.say(|| format!("    worker {worker} {did}"));
        Ok(true)
    }

    /// A successor for one who is gone, or for one who is still there: a new process with a new number.
    fn replace(&mut self) -> Moved {
        let alive = self.processes.iter().filter(|it| it.is_alive()).count();
        let reloads = self.rng.percent(15);
        let most = self.plan.crew.len() + usize::from(reloads);
        if self.processes.len() >= MOST_PROCESSES || alive >= most {
            return Ok(false);
        }
        self.seen.saw("successor started");
        let temper = Temper::draw(&mut self.rng, self.plan.faults);
        let origin = self.origin(reloads);
        self.fork(temper, origin, false)?;
        Ok(true)
    }

    /// The place of a successor: a slot that is free, or one that has somebody still when it is a reload. Some are
    /// started by hand and have none.
    fn origin(&mut self, reloads: bool) -> Origin {
        let alone = Origin::alone(self.next_worker());
        if self.rng.percent(20) {
            return alone;
        }
        let slots = self.plan.crew.len();
        let seat = |slot| Seat::Slot(SlotId(slot));
        let sits = |slot: &usize| {
            self.processes.iter().any(|it| it.is_alive() && it.origin.seat == seat(*slot))
        };
        let free = (0..slots).find(|slot| !sits(slot)).filter(|_| !reloads);
        let slot = free.unwrap_or_else(|| self.rng.index(slots));
        let last = self.processes.iter().rev().find(|it| it.origin.seat == seat(slot));
        let generation = last.map_or(Generation::FIRST, |it| it.origin.generation);
        let generation = if reloads { Generation(generation.0 + 1) } else { generation };
        self.seen.saw(match (free, last) {
            (Some(_), Some(_)) => "seat taken over",
            (None, Some(_)) => "two in one seat",
            (_, None) => "seat taken for the first time",
        });
        Origin { seat: seat(slot), generation }
    }

    /// Somebody measures how busy a process is.
    pub(super) fn measure(&mut self) -> Moved {
        if !self.primary.needs_cpu() {
            return Ok(false);
        }
        let Some(at) = self.any_process() else {
            return Ok(false);
        };
        let share = CpuShare(u32::try_from(self.rng.below(1_000)).unwrap_or(0));
        self.seen.saw("a process was measured");
        self.feed(Event::Cpu { worker: self.processes[at].id, share })?;
        Ok(true)
    }

    /// A user of the primary or of a worker wants something.
    pub(super) fn command(&mut self) -> Moved {
        if self.crew.is_some() && self.rng.percent(60) {
            return self.crew_command();
        }
        let Some(at) = self.any_process() else {
            return Ok(false);
        };
        let worker = self.processes[at].id;
        match self.rng.below(100) {
            0..20 => {
                self.seen.saw("command: disconnect");
                self.feed(Event::Disconnect { worker })?;
                Ok(true)
            }
            20..25 => {
                // Told by a text or a signal, of which the primary's machine knows nothing: it leaves by itself.
                let leaves = self.in_worker(at, "command: told in another way", |it, _| {
                    it.disconnect();
                    true
                });
                if leaves {
                    self.feed(Event::Unlist { worker })?;
                }
                Ok(leaves)
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
