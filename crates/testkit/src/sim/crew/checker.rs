//! What a crew may do, worked out from what it was told and what it decided: the rules of `ARCHITECTURE.md`, as the
//! walk of core's own tests has them, on this world's scale of time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcrew_core::supervise::{
    Action, Crew, Event, Force, Found, Generation, Notice, Phase, Reason, Settings, SlotId,
    SlotState,
};
use portcrew_core::{Time, WorkerId};

use super::plan::SCALE;
use crate::sim::report::{Check, Checked, ensure};

/// Starts of one slot within any second of a crew with the usual settings, beyond what commands and reloads ask for:
/// the first delays of a row are at least 80, 160, 320 and 640 ms, and two rows may meet.
const STARTS_PER_SECOND: usize = 7;
/// The same within any minute: half a second is the cap after workers that served, less the spread.
const STARTS_PER_MINUTE: usize = 165;

/// A process of the crew that was not reaped.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, in any combination")]
pub struct Member {
    /// Its place.
    pub slot: SlotId,
    /// What it was started with.
    pub generation: Generation,
    /// The crew was told that it is there.
    pub known: bool,
    /// It said its first word.
    pub online: bool,
    /// It listens.
    pub ready: bool,
    /// It was told to leave, or left by itself.
    pub told: bool,
    /// It was taken off the listeners.
    pub unlisted: bool,
    /// When it gave its last sign of life, or was first expected to.
    pub sign: Time,
    /// When it was told by a word, or by a signal in its place.
    word: Option<Time>,
    /// When it had its last SIGTERM.
    terminated: Option<Time>,
    /// Connections that it has taken.
    taken: u64,
    /// When it was started.
    pub(super) started: Time,
    /// It understands when it is asked for a beat.
    beats: bool,
    /// When it was asked for the beat that it has not given.
    asked: Option<Time>,
    /// When it last gave a beat that it was asked for.
    pub(super) turned: Time,
    /// It has shown life since it was last looked at.
    shown: bool,
    /// It was said to hang.
    hung: bool,
    /// It broke the protocol too often.
    misbehaved: bool,
    /// It was found to be stopped: SIGKILL is all that reaches it.
    stopped: bool,
    /// Somebody debugs it.
    pub(super) traced: bool,
}

/// What was so before a step.
#[derive(Debug)]
pub struct Before {
    phase: Phase,
    serving: BTreeMap<WorkerId, SlotId>,
    /// A user's wish, or a worker's own fault: capacity is not a reload's matter.
    excused: bool,
}

/// The account of one crew.
#[derive(Debug)]
pub struct Checker {
    pub(super) settings: Settings,
    pub(super) alive: BTreeMap<WorkerId, Member>,
    dead: BTreeSet<WorkerId>,
    /// When the primary's last pause ended.
    pub(super) resumed: Time,
    /// Who owes an answer, and since when, as the crew is being told.
    owed: Option<(WorkerId, Time)>,
    /// Who is being looked at.
    examined: BTreeSet<WorkerId>,
    starts: BTreeMap<SlotId, Vec<Time>>,
    commands: Vec<Time>,
    /// Generations without a verdict.
    pub(super) promised: BTreeSet<Generation>,
    /// Who was there when a reload was last asked for which this generation answers.
    outdated: BTreeMap<Generation, BTreeSet<WorkerId>>,
    judged: BTreeSet<Generation>,
    forgotten: BTreeSet<Generation>,
    /// Nobody has a grace any more.
    no_grace: bool,
    /// When the crew must have ended.
    pub(super) ends_by: Option<Time>,
    pub(super) finished: bool,
}

impl Checker {
    /// Nothing has happened.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            alive: BTreeMap::new(),
            dead: BTreeSet::new(),
            resumed: Time::ZERO,
            owed: None,
            examined: BTreeSet::new(),
            starts: BTreeMap::new(),
            commands: Vec::new(),
            promised: BTreeSet::new(),
            outdated: BTreeMap::new(),
            judged: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            no_grace: false,
            ends_by: None,
            finished: false,
        }
    }

    /// A process was started.
    pub fn started(&mut self, now: Time, worker: WorkerId, slot: SlotId, generation: Generation) {
        let member = Member {
            slot,
            generation,
            known: false,
            online: false,
            ready: false,
            told: false,
            unlisted: false,
            sign: now,
            word: None,
            terminated: None,
            taken: 0,
            started: now,
            beats: false,
            asked: None,
            turned: now,
            shown: false,
            hung: false,
            misbehaved: false,
            stopped: false,
            traced: false,
        };
        self.alive.insert(worker, member);
    }

    /// A worker has taken one more connection. How many it has now.
    pub fn count_use(&mut self, worker: WorkerId) -> u64 {
        let of = self.alive.get_mut(&worker);
        of.map_or(0, |it| {
            it.taken += 1;
            it.taken
        })
    }

    /// So many are as many as a worker is to take.
    #[must_use]
    pub fn is_used_up(&self, taken: u64) -> bool {
        self.settings.max_connections.is_some_and(|most| taken >= most)
    }

    /// The primary stood still, for so long, until now.
    pub fn paused(&mut self, now: Time, length: Duration) {
        self.resumed = now;
        self.ends_by = self.ends_by.map(|it| it + length);
        for it in self.alive.values_mut() {
            it.sign = now;
            it.asked = it.asked.map(|_| now);
        }
    }

    /// Takes in what the crew is about to hear.
    pub fn before(&mut self, now: Time, event: &Event, crew: &Crew) -> Before {
        let phase = crew.phase();
        self.owed = match *event {
            Event::Owes { worker, since } => Some((worker, since)),
            _ => None,
        };
        match event {
            Event::Beats { worker } => self.change(*worker, |it| it.beats = true),
            Event::Beat { worker } => self.change(*worker, |it| {
                if it.asked.take().is_some() {
                    (it.turned, it.shown) = (now, true);
                }
            }),
            Event::Examined { worker, owes, .. } => {
                let owed = owes.map(|since| now - since.max(self.resumed));
                let excused = !is_over(owed, self.settings.answer_within);
                self.change(*worker, |it| it.shown |= excused);
            }
            Event::Misbehaved { worker } => self.change(*worker, |it| it.misbehaved = true),
            Event::Spawned { worker, .. } => self.change(*worker, |it| it.known = true),
            Event::Online { worker } => self.change(*worker, |it| it.online = true),
            Event::Ready { worker } => self.change(*worker, |it| {
                it.sign = if it.ready { it.sign } else { now };
                it.ready = true;
            }),
            Event::Sign { worker } => self.change(*worker, |it| (it.sign, it.shown) = (now, true)),
            Event::Disconnected { worker, .. } => {
                self.change(*worker, |it| it.told |= it.online);
            }
            Event::Exited { worker, .. } => {
                self.alive.remove(worker);
                self.examined.remove(worker);
                self.dead.insert(*worker);
            }
            Event::Resize { .. } | Event::Scale { .. } => self.commands.push(now),
            Event::Stop | Event::StopNow => {
                let again = matches!(event, Event::StopNow) || phase == Phase::Stopping;
                self.no_grace |= again;
                if let (true, Some(by)) = (again, self.ends_by) {
                    self.ends_by = Some(by.min(now + self.settings.kill_grace));
                }
                self.commands.push(now);
            }
            _ => {}
        }
        let excused = matches!(
            event,
            Event::Resize { .. }
                | Event::Scale { .. }
                | Event::Stop
                | Event::StopNow
                | Event::Misbehaved { .. }
                | Event::Owes { .. }
                | Event::Examined { .. }
        );
        Before { phase, serving: self.serving(), excused }
    }

    /// The same before a time-out. Those that are suspected are not lost to a reload.
    pub fn before_timeout(&mut self, crew: &Crew) -> Before {
        self.owed = None;
        let mut serving = self.serving();
        serving.retain(|worker, _| !self.examined.contains(worker));
        Before { phase: crew.phase(), serving, excused: false }
    }

    /// Looks at one step: what the crew decided.
    ///
    /// # Errors
    /// When it must not.
    pub fn after(
        &mut self,
        now: Time,
        before: &Before,
        crew: &Crew,
        actions: &[Action],
    ) -> Checked {
        if crew.phase() != before.phase || !self.promised.is_empty() {
            self.commands.push(now);
        }
        for action in actions {
            ensure(!self.finished, Check::S5End, || format!("{action:?} after the end"))?;
            self.look(now, crew, action)?;
        }
        if actions.is_empty() {
            return Ok(());
        }
        self.count_kept(crew)?;
        self.still_served(before, crew, actions)
    }

    fn look(&mut self, now: Time, crew: &Crew, action: &Action) -> Checked {
        match action {
            Action::Fork { slot, generation, .. } => {
                let known = !self.forgotten.contains(generation);
                ensure(known, Check::R1Verdict, || format!("{action:?} of what is forgotten"))?;
                self.starts.entry(*slot).or_default().push(now);
                self.count_starts(now, *slot)
            }
            Action::Disconnect { worker }
            | Action::Text { worker }
            | Action::DrainSignal { worker } => {
                self.lives(*worker, action)?;
                self.change(*worker, |it| {
                    (it.told, it.unlisted, it.word) = (true, true, Some(now));
                });
                Ok(())
            }
            Action::Signal { worker, force } => {
                self.lives(*worker, action)?;
                self.change(*worker, |it| it.unlisted = true);
                self.has_had_its_grace(now, *worker, *force)
            }
            Action::Forget { generation } => {
                self.forgotten.insert(*generation);
                Ok(())
            }
            Action::SeeAnswers => Ok(()),
            Action::AskForBeat { worker } => {
                self.lives(*worker, action)?;
                self.asks(now, *worker)
            }
            Action::Examine { worker } => {
                self.lives(*worker, action)?;
                self.is_suspect(now, *worker)
            }
            Action::Notify(notice) => self.hear(now, crew, *notice),
            Action::Finished(_) => {
                self.finished = true;
                Ok(())
            }
        }
    }

    /// S1: nothing is done to a worker that was reaped.
    fn lives(&self, worker: WorkerId, action: &Action) -> Checked {
        ensure(!self.dead.contains(&worker), Check::S1Reaped, || format!("{action:?} to the dead"))
    }

    /// S4: who was told to leave has its grace before SIGTERM, and another before SIGKILL.
    fn has_had_its_grace(&mut self, now: Time, worker: WorkerId, force: Force) -> Checked {
        let Some(it) = self.alive.get_mut(&worker) else {
            return Ok(());
        };
        let (wait, since) = match force {
            // That it hangs is told first.
            Force::Report => (Duration::ZERO, it.hung.then_some(now)),
            Force::Kill if it.stopped => (Duration::ZERO, Some(now)),
            Force::Terminate => (self.settings.grace, it.word),
            Force::Kill => (self.settings.term_grace, it.terminated),
        };
        // Who serves is told by a word, while one reaches it.
        let serves = it.ready && it.online && !it.told && !it.misbehaved;
        let first = it.word.is_none() && force == Force::Terminate && !serves;
        let waited = first || since.is_some_and(|since| now - since >= wait) || self.no_grace;
        it.told = true;
        match force {
            Force::Terminate | Force::Report => it.terminated = Some(now),
            Force::Kill => {}
        }
        ensure(waited, Check::S4Grace, || {
            format!("worker {worker} is to {force:?} at {now:?}, and {it:?} has not had {wait:?}")
        })
    }

    /// T1: nobody is suspected for a silence that is not its own.
    fn is_suspect(&mut self, now: Time, worker: WorkerId) -> Checked {
        let Some(it) = self.alive.get_mut(&worker) else {
            return Ok(());
        };
        let settings = &self.settings;
        let owed = self.owed.filter(|it| it.0 == worker).map(|it| now - it.1.max(self.resumed));
        let owed = owed.map(|waited| waited.min(now - it.turned));
        let answers = is_over(owed, settings.answer_within);
        let sign = settings.watchdog.is_some_and(|within| now - it.sign >= within);
        let beat = is_over(it.asked.map(|asked| now - asked), settings.heartbeat);
        ensure(answers || sign || beat, Check::T1Pause, || {
            format!("worker {worker} is suspected at {now:?}, owed for {owed:?}: {it:?}")
        })?;
        // What is found out of one that is debugged is told once; it is looked at again all the same. And so is one that
        // has shown life meanwhile.
        let again = std::mem::replace(&mut it.shown, false) || it.traced;
        ensure(self.examined.insert(worker) || again, Check::T1Pause, || {
            format!("worker {worker} is looked at twice at a time")
        })
    }

    /// A beat is asked for of who can give one, one at a time: where that is wanted, or when an answer is overdue.
    fn asks(&mut self, now: Time, worker: WorkerId) -> Checked {
        let Some(it) = self.alive.get_mut(&worker) else {
            return Ok(());
        };
        let overdue = self.owed.is_some_and(|it| it.0 == worker) && self.examined.contains(&worker);
        let wanted = overdue || (it.ready && self.settings.heartbeat.is_some());
        let right = it.beats && wanted && it.asked.is_none();
        it.asked = Some(now);
        ensure(right, Check::T1Pause, || format!("worker {worker} is asked for a beat: {it:?}"))
    }

    /// T2: who hangs was looked at first.
    fn hangs(&mut self, worker: WorkerId, found: Found) -> Checked {
        self.change(worker, |it| {
            it.hung |= found == Found::Able;
            it.stopped |= found == Found::Stopped;
            it.traced |= found == Found::Traced;
        });
        ensure(self.examined.remove(&worker), Check::T2Hang, || {
            format!("worker {worker} was not looked at and is {found:?}")
        })
    }

    /// R1 and S5: one verdict for every reload, and no mixture after it; an end has its time.
    fn hear(&mut self, now: Time, crew: &Crew, notice: Notice) -> Checked {
        match notice {
            Notice::ReloadStarted { generation } | Notice::ReloadMerged { generation } => {
                self.promised.insert(generation);
                self.outdated.insert(generation, self.alive.keys().copied().collect());
                let open = !self.judged.contains(&generation);
                ensure(open, Check::R1Verdict, || format!("{notice:?} after its verdict"))
            }
            Notice::ReloadCommitted { generation } => {
                self.judge(generation)?;
                let outdated = self.outdated.remove(&generation).unwrap_or_default();
                let right = crew.slots().all(|it| {
                    let stays = |worker| outdated.contains(&worker);
                    it.generation == generation
                        && !matches!(it.state, SlotState::Held(worker) if stays(worker))
                });
                ensure(right, Check::R1Verdict, || format!("mixed after {notice:?}"))
            }
            Notice::RolledBack { generation, reason, .. } => {
                self.judge(generation)?;
                let right =
                    reason == Reason::Stopped || crew.slots().all(|it| it.generation != generation);
                ensure(right, Check::R1Verdict, || format!("mixed after {notice:?}"))
            }
            Notice::Hangs { worker, found, .. } => self.hangs(worker, found),
            Notice::Stopping { .. } => {
                let it = &self.settings;
                let wait = match self.no_grace {
                    true => it.kill_grace,
                    false => it.grace + it.term_grace + it.kill_grace,
                };
                self.ends_by = Some(now + wait);
                Ok(())
            }
            // It is waited for no longer, whatever it is.
            Notice::Unkillable { worker } => {
                self.alive.remove(&worker);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn judge(&mut self, generation: Generation) -> Checked {
        self.promised.remove(&generation);
        ensure(self.judged.insert(generation), Check::R1Verdict, || {
            format!("generation {generation} is judged twice")
        })
    }

    /// S3: the rate of starts is bounded, apart from what was asked for.
    fn count_starts(&self, now: Time, slot: SlotId) -> Checked {
        let within = |times: &[Time], wait: Duration| {
            times.iter().rev().take_while(|it| now - **it < wait).count()
        };
        let starts = self.starts.get(&slot).map_or(&[][..], Vec::as_slice);
        for (seconds, most) in [(1, STARTS_PER_SECOND), (60, STARTS_PER_MINUTE)] {
            let wait = Duration::from_secs(seconds) / SCALE;
            let most = most + 2 * within(&self.commands, wait);
            let count = within(starts, wait);
            ensure(count <= most, Check::S3Starts, || {
                format!("{count} starts of slot {slot} within {wait:?}, {most} at most")
            })?;
        }
        Ok(())
    }

    fn change(&mut self, worker: WorkerId, change: impl FnOnce(&mut Member)) {
        if let Some(it) = self.alive.get_mut(&worker) {
            change(it);
        }
    }
}

impl Before {
    pub(super) const fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) const fn serving(&self) -> &BTreeMap<WorkerId, SlotId> {
        &self.serving
    }

    pub(super) const fn is_excused(&self) -> bool {
        self.excused
    }
}

/// So long a silence is as long as one may be, where one may not be for ever.
fn is_over(silence: Option<Duration>, most: Option<Duration>) -> bool {
    silence.zip(most).is_some_and(|(silence, most)| silence >= most)
}
