//! What must hold after every step of a crew, whatever its workers do.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Crew;
use super::*;

/// Starts of one slot within any second, beyond what commands and reloads ask for: the first delays of a
/// row are at least 80, 160, 320 and 640 ms, and two rows may meet.
const STARTS_PER_SECOND: usize = 7;
/// The same within any minute: half a second is the cap after workers that served, less the spread.
const STARTS_PER_MINUTE: usize = 165;

/// What the checker knows of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) slot: SlotId,
    pub(super) started: Time,
    /// Probes that failed in a row, not counting those that began before a pause.
    pub(super) failed: u32,
    /// When it last gave a sign of life, or was first expected to.
    pub(super) sign: Time,
    /// It says that it understands when it is asked for a beat.
    pub(super) beats: bool,
    /// It was asked then, or a pause of the primary ended then, and has not answered.
    pub(super) asked: Option<Time>,
    /// When it last answered such a question.
    pub(super) turned: Time,
    /// It has shown life since it was last looked at.
    pub(super) shown: bool,
    pub(super) ready: bool,
    /// It was refused a listener before it was ready.
    pub(super) refused: bool,
    pub(super) online: bool,
    /// It was told to leave, or left by itself.
    pub(super) told: bool,
}

/// The account of one walk.
#[derive(Debug)]
pub(super) struct Checker {
    seed: u64,
    /// What is alive for so long is ready, where that is enough.
    ready_after: Option<Duration>,
    settings: Settings,
    /// When the primary's last pause ended.
    resumed: Time,
    /// Since when a worker is said to owe an answer, in this step.
    pub(super) owed: Option<Time>,
    surge: usize,
    max_unavailable: usize,
    overlap: bool,
    pub(super) alive: BTreeMap<WorkerId, Process>,
    /// Who is being looked at, and what it was found to be, when that was told.
    pub(super) examined: BTreeMap<WorkerId, Option<Found>>,
    dead: BTreeSet<WorkerId>,
    pub(super) asked: BTreeMap<Ticket, SlotId>,
    starts: BTreeMap<SlotId, Vec<Time>>,
    commands: Vec<Time>,
    promised: BTreeSet<Generation>,
    /// Who was there when a reload was last asked for which this generation answers.
    outdated: BTreeMap<Generation, BTreeSet<WorkerId>>,
    judged: BTreeSet<Generation>,
    forgotten: BTreeSet<Generation>,
    /// Slots that are to have nobody until a reload comes to them.
    retired: BTreeSet<SlotId>,
    pub(super) finished: Option<Outcome>,
}

impl Checker {
    pub(super) fn new(seed: u64, settings: &Settings) -> Self {
        Self {
            seed,
            settings: settings.clone(),
            resumed: Time::ZERO,
            owed: None,
            surge: settings.surge,
            max_unavailable: settings.max_unavailable,
            overlap: settings.overlap,
            ready_after: (settings.readiness == Readiness::Age).then_some(settings.stable_for),
            alive: BTreeMap::new(),
            examined: BTreeMap::new(),
            dead: BTreeSet::new(),
            asked: BTreeMap::new(),
            starts: BTreeMap::new(),
            commands: Vec::new(),
            promised: BTreeSet::new(),
            outdated: BTreeMap::new(),
            judged: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            retired: BTreeSet::new(),
            finished: None,
        }
    }

    /// The user or a reload may have more processes started from now on.
    pub(super) fn commanded(&mut self, now: Time) {
        self.commands.push(now);
    }

    pub(super) fn reaped(&mut self, worker: WorkerId) {
        let was_there = self.alive.remove(&worker).is_some();
        self.examined.remove(&worker);
        assert!(was_there, "seed {}: the walk reaps {worker} twice", self.seed);
        self.dead.insert(worker);
    }

    /// Looks at one step: what the crew was about before it, and what it decided.
    pub(super) fn look(&mut self, now: Time, before: Phase, crew: &Crew, actions: &[Action]) {
        let seed = self.seed;
        if crew.phase() != before || !self.promised.is_empty() {
            self.commanded(now);
        }
        if actions.is_empty() {
            return;
        }
        for action in actions {
            assert_eq!(self.finished, None, "seed {seed}: {action:?} after the end");
            match action {
                Action::Fork { ticket, slot, generation } => {
                    assert!(!self.forgotten.contains(generation), "seed {seed}: {action:?}");
                    let may_come = !self.retired.contains(slot) || !self.promised.is_empty();
                    assert!(may_come, "seed {seed}: {action:?} for nobody");
                    self.asked.insert(*ticket, *slot);
                    self.starts.entry(*slot).or_default().push(now);
                }
                Action::Disconnect { worker }
                | Action::Text { worker }
                | Action::DrainSignal { worker }
                | Action::Signal { worker, .. } => {
                    self.tell(*worker, action);
                }
                Action::Forget { generation } => {
                    self.forgotten.insert(*generation);
                }
                Action::SeeAnswers => {}
                Action::AskForBeat { worker } => self.asks(now, *worker),
                Action::Examine { worker } => self.is_suspect(now, *worker),
                Action::Notify(notice) => self.hear(crew, *notice),
                Action::Finished(outcome) => self.finished = Some(*outcome),
            }
        }
        self.hangs(actions);
        self.count_newcomers(crew);
        if actions.iter().any(|it| matches!(it, Action::Fork { .. })) {
            self.count_processes();
            self.count_starts(now);
        }
    }

    /// S1: nothing is done to a worker that was reaped.
    fn tell(&mut self, worker: WorkerId, action: &Action) {
        let seed = self.seed;
        assert!(!self.dead.contains(&worker), "seed {seed}: {action:?} to the dead");
        let process = self.alive.get_mut(&worker);
        process.expect("a process that was started").told = true;
    }

    /// The primary stood still until now.
    pub(super) fn paused(&mut self, now: Time) {
        self.resumed = now;
        for process in self.alive.values_mut() {
            (process.failed, process.sign) = (0, now);
            process.asked = process.asked.map(|_| now);
        }
    }

    pub(super) fn began_after_the_pause(&self, began: Time) -> bool {
        began >= self.resumed
    }

    /// Nobody is suspected for a silence that is not its own.
    fn is_suspect(&mut self, now: Time, worker: WorkerId) {
        let (seed, settings) = (self.seed, &self.settings);
        let it = self.alive.get_mut(&worker).expect("a process that was started");
        let probes = settings.probe_failures.is_some_and(|most| it.failed >= most);
        let owed = self.owed.map(|since| now - since.max(self.resumed).max(it.turned));
        let answers = is_over(owed, settings.answer_within);
        let sign = settings.watchdog.is_some_and(|within| now - it.sign >= within);
        let beat = is_over(it.asked.map(|asked| now - asked), settings.heartbeat);
        assert!(probes || answers || sign || beat, "seed {seed}: {worker} is suspected: {it:?}");
        let known = self.examined.insert(worker, None);
        let again = std::mem::replace(&mut it.shown, false);
        assert!(known.is_none() || again, "seed {seed}: {worker} is looked at twice at a time");
    }

    /// A beat is asked for of who can give one, one at a time: where that is wanted, or when an answer is overdue.
    fn asks(&mut self, now: Time, worker: WorkerId) {
        let (seed, by_age) = (self.seed, self.ready_after);
        let it = self.alive.get_mut(&worker).expect("a process that was started");
        let ready = it.ready || by_age.is_some_and(|after| now - it.started >= after);
        let overdue = self.owed.is_some() && self.examined.contains_key(&worker);
        let wanted = overdue || (ready && self.settings.heartbeat.is_some());
        assert!(it.beats && wanted && it.asked.is_none(), "seed {seed}: asks {worker}: {it:?}");
        it.asked = Some(now);
    }

    /// A worker that hangs was looked at first, and is ended as that allows: what it was found to be is what was
    /// answered, or nothing is known. Whoever is replaced for it was told of in the same step.
    fn hangs(&mut self, actions: &[Action]) {
        let seed = self.seed;
        let mut told = None;
        for action in actions {
            match action {
                Action::Notify(Notice::Hangs { worker, found, .. }) => {
                    let known = self.examined.remove(worker);
                    let known = known.expect("it was looked at").unwrap_or(Found::Able);
                    assert_eq!(known, *found, "seed {seed}: {worker}");
                    let to = |it: &&Action| matches!(it, Action::Signal { worker: to, .. } if to == worker);
                    let how = actions.iter().find(to);
                    let force = match found {
                        Found::Able => Some(Force::Report),
                        Found::Stopped => Some(Force::Kill),
                        Found::Traced => None,
                    };
                    let wanted = force.map(|force| Action::Signal { worker: *worker, force });
                    assert_eq!(how, wanted.as_ref(), "seed {seed}: {worker} is {found:?}");
                    told = Some(*worker);
                }
                Action::Notify(
                    Notice::Restarting { reason, .. }
                    | Notice::ReloadFailed { reason, .. }
                    | Notice::NotRecycled { reason, .. },
                ) if is_hang(*reason) => assert!(told.is_some(), "seed {seed}: {action:?}"),
                Action::Signal { worker, force: Force::Report } => {
                    assert_eq!(told, Some(*worker), "seed {seed}: {action:?}");
                }
                _ => {}
            }
        }
    }

    /// R1 and R4: one verdict for every reload, and no mixture after it; nobody who was there when it was asked for.
    fn hear(&mut self, crew: &Crew, notice: Notice) {
        let seed = self.seed;
        match notice {
            Notice::ReloadStarted { generation } | Notice::ReloadMerged { generation } => {
                assert!(!self.judged.contains(&generation), "seed {seed}: {notice:?}");
                self.promised.insert(generation);
                self.outdated.insert(generation, self.alive.keys().copied().collect());
            }
            Notice::ReloadCommitted { generation } => {
                self.judge(generation);
                assert!(crew.slots().all(|it| it.generation == generation), "seed {seed}: mixed");
                let outdated = self.outdated.remove(&generation).unwrap_or_default();
                let is_outdated = |it: &crate::supervise::SlotView| match it.state {
                    SlotState::Held(worker) => outdated.contains(&worker),
                    _ => false,
                };
                let stays = crew.slots().find(is_outdated);
                assert!(stays.is_none(), "seed {seed}: {stays:?} was there before the request");
            }
            Notice::RolledBack { generation, reason, .. } => {
                self.judge(generation);
                assert!(
                    reason == Reason::Stopped || crew.slots().all(|it| it.generation != generation),
                    "seed {seed}: mixed after {notice:?}"
                );
            }
            Notice::Retired { slot, .. } => drop(self.retired.insert(slot)),
            Notice::ReloadProgress { slot, .. } => drop(self.retired.remove(&slot)),
            Notice::Resized { workers } => self.retired.retain(|it| it.0 < workers),
            Notice::Recycling { .. } => {
                assert_eq!(crew.phase(), Phase::Running, "seed {seed}: {notice:?}");
            }
            _ => {}
        }
    }

    fn judge(&mut self, generation: Generation) {
        self.promised.remove(&generation);
        assert!(self.judged.insert(generation), "seed {}: judged twice", self.seed);
    }

    /// Never more workers that were not told to leave than are wanted and may stand beside them.
    fn count_newcomers(&self, crew: &Crew) {
        let surge = match (self.overlap, self.max_unavailable) {
            (true, 0) => self.surge.max(1),
            (true, _) => self.surge,
            (false, _) => 0,
        };
        let kept = self.alive.values().filter(|it| !it.told).count();
        // The successor of a worn worker stands beside it, but never while a reload has newcomers.
        let most = match crew.phase() {
            Phase::Reloading(_) | Phase::RollingBack(_) => crew.wanted() + surge,
            _ => crew.wanted() + usize::from(self.overlap),
        };
        assert!(kept <= most, "seed {}: {kept} workers, {most} at most", self.seed);
    }

    /// The crew is never larger than two processes per slot, those that leave included; one where two must not meet.
    fn count_processes(&self) {
        let mut processes = BTreeMap::new();
        for slot in self.asked.values().chain(self.alive.values().map(|it| &it.slot)) {
            *processes.entry(*slot).or_insert(0) += 1;
        }
        let most = processes.values().max().copied().unwrap_or(0);
        assert!(most <= 1 + usize::from(self.overlap), "seed {}: {processes:?}", self.seed);
    }

    /// S3: the rate of starts is bounded, apart from what was asked for.
    fn count_starts(&self, now: Time) {
        let within = |times: &[Time], ms| {
            let recent = times.iter().rev().take_while(|it| now - **it < Duration::from_millis(ms));
            recent.count()
        };
        for (slot, times) in &self.starts {
            for (ms, most) in [(1_000, STARTS_PER_SECOND), (60_000, STARTS_PER_MINUTE)] {
                let most = most + 2 * within(&self.commands, ms);
                let starts = within(times, ms);
                assert!(starts <= most, "seed {}: {starts} starts of slot {slot}", self.seed);
            }
        }
    }

    /// The workers that serve before a step, each with its slot. One that comes of age in this very step may be told to
    /// leave in it: its time-out is one of several.
    pub(super) fn served_before(&self, now: Time) -> BTreeMap<WorkerId, SlotId> {
        self.served(|it, after| now - it.started > after)
    }

    fn served(&self, of_age: impl Fn(&Process, Duration) -> bool) -> BTreeMap<WorkerId, SlotId> {
        let by_age =
            |it: &Process| !it.refused && self.ready_after.is_some_and(|after| of_age(it, after));
        let serving = self.alive.iter().filter(|it| !it.1.told && (it.1.ready || by_age(it.1)));
        serving.map(|it| (*it.0, it.1.slot)).collect()
    }

    /// R2 and R3: a worker that serves leaves for a reload only when another serves in its slot, or when enough slots
    /// are served without it.
    pub(super) fn still_served(&self, crew: &Crew, at: Time, before: &BTreeMap<WorkerId, SlotId>) {
        let now = self.served(|it, after| at - it.started >= after);
        let slots: BTreeSet<_> = now.values().collect();
        let lost = before.iter().find(|it| !now.contains_key(it.0) && !slots.contains(it.1));
        let Some((worker, slot)) = lost else {
            return;
        };
        let may_be_missing = self.max_unavailable.max(usize::from(!self.overlap));
        let (served, least) =
            (slots.len(), crew.wanted().saturating_sub(may_be_missing + self.retired.len()));
        assert!(
            may_be_missing > 0 && served >= least,
            "seed {}: slot {slot} lost {worker} to a reload; {served} are served, {least} at least",
            self.seed
        );
    }

    /// No reload waits for its verdict.
    pub(super) fn all_judged(&self) {
        assert!(self.promised.is_empty(), "seed {}: no verdict on {:?}", self.seed, self.promised);
    }
}

/// So long a silence is as long as one may be, where one may not be for ever.
fn is_over(silence: Option<Duration>, most: Option<Duration>) -> bool {
    silence.zip(most).is_some_and(|(silence, most)| silence >= most)
}

fn is_hang(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ProbesFailed(_) | Reason::Unanswered(_) | Reason::SignMissed(_) | Reason::NoBeat(_)
    )
}
