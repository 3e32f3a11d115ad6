//! What a crew is made with: its size, its waits and its budgets.

use std::time::Duration;

/// The size, the waits and the budgets of a crew.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Workers wanted at first. At least 1 is taken.
    pub workers: usize,
    /// The most workers that [`Event::Resize`](super::Event::Resize) can ask for. Beyond it this many are wanted.
    pub most_workers: usize,
    /// Workers that may be starting at once: not ready yet, and younger than
    /// [`stable_for`](Self::stable_for). Beyond it slots wait their turn.
    pub start_parallelism: usize,
    /// How long the first worker of a crew that begins starts alone, so that the first answer does not wait for the
    /// starts of others. Beyond it, or when it is ready, the others start too. Zero: all begin together.
    pub head_start: Duration,
    /// What makes a worker ready.
    pub readiness: Readiness,
    /// How long a worker may take to be ready. Beyond it that is said, once, and the worker runs on: it
    /// counts as one that never listens.
    pub start_deadline: Duration,
    /// How long a worker of a new generation may take to be ready. Beyond it the reload is rolled back.
    pub reload_deadline: Duration,
    /// How long a ready worker must live before it may take its predecessor's place, and before its death
    /// counts as the first of a row. See [`Readiness`] for those that are never told as ready.
    pub stable_for: Duration,
    /// Newcomers of a reload that may stand beside other processes of their slots at once. 0 is taken for 1 where
    /// [`max_unavailable`](Self::max_unavailable) is 0 too: else nobody could be replaced.
    pub surge: usize,
    /// Slots that may be without a ready worker for a reload: so many workers are told to leave before their
    /// successors come. 0: a reload never costs a ready worker before another is.
    pub max_unavailable: usize,
    /// Whether two processes of one slot may run at once. If not, a slot is never given a process before the last one
    /// has ended, and a reload replaces at least one worker at a time in this way, whatever
    /// [`max_unavailable`](Self::max_unavailable) is.
    pub overlap: bool,
    /// How long a worker that closed its channel, or got no listener, may take to end: its exit status
    /// says more than that. Beyond it the crew acts on what it knows.
    pub exit_patience: Duration,
    /// How a worker is told to leave.
    pub drain: Drain,
    /// How long a worker that was told to leave may finish its connections. Beyond it: SIGTERM.
    pub grace: Duration,
    /// How long it may then take to end. Beyond it: SIGKILL.
    pub term_grace: Duration,
    /// How long a killed worker is waited for. Beyond it it is counted as gone.
    pub kill_grace: Duration,
    /// How many probes of a ready worker may fail in a row. With the last of them it is ended and replaced. `None`: any
    /// number.
    pub probe_failures: Option<u32>,
    /// How long a worker may owe an answer to a connection: one that is ready, or is past its start deadline. Beyond it
    /// it is ended and replaced. `None`: for ever.
    pub answer_within: Option<Duration>,
    /// How long a ready worker may give no sign of life. Beyond it it is ended and replaced. `None`: for ever.
    pub watchdog: Option<Duration>,
    /// How often a ready worker that [understands it](super::Event::Beats) is asked whether its runtime turns. When it
    /// has not answered by the time of the next question it is ended and replaced. `None`: never.
    pub heartbeat: Option<Duration>,
    /// How long the shell may take to find out what a worker that hangs is doing. Beyond it the worker is ended by the
    /// usual steps, as one of which nothing is known.
    pub examine_within: Duration,
    /// How long a worker may live, spread by a fifth either way so that workers of one age do not go together. Beyond
    /// it it is replaced, new before old, one worker at a time. `None`: for ever.
    pub max_age: Option<Duration>,
    /// How many connections a worker may take. Then it is replaced in the same way.
    pub max_connections: Option<u64>,
    /// How much memory of its own a worker may have, in bytes. Beyond it it is replaced in the same way.
    pub max_memory: Option<u64>,
    /// Exit codes after which a slot's worker is not replaced until the next reload. When no slot is to have a worker
    /// any more the crew ends.
    pub stop_exit_codes: Vec<i32>,
    /// First delay before a restart; doubles, spread by a fifth either way.
    pub restart_first: Duration,
    /// The longest such delay, for workers that were never ready.
    pub restart_cap: Duration,
    /// The longest such delay after a worker that was ready: it served, so its clients are not kept
    /// waiting for longer than this.
    pub served_cap: Duration,
    /// Failed starts that a slot may have within the window. Beyond it the slot tries once per
    /// [`restart_cap`](Self::restart_cap); when more than half of the slots do, the crew is
    /// degraded.
    pub slot_budget: usize,
    /// Failed starts that the crew may have within the window, or twice its size if that is more. Beyond
    /// it the crew is degraded: one worker is tried per [`restart_cap`](Self::restart_cap).
    pub crew_budget: usize,
    /// The window of both budgets.
    pub budget_window: Duration,
    /// What a degraded crew does.
    pub exit_when_degraded: ExitWhenDegraded,
    /// Draws the spread of the delays.
    pub seed: u64,
}

/// How a worker is told to leave. It gets no new connection from then on, whichever it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Drain {
    /// By Node's own order on its channel. A program that speaks no channel is sent
    /// [`Force::Terminate`](super::Force::Terminate) in its place.
    #[default]
    Disconnect,
    /// By a text on its channel; one that speaks none as above.
    Text,
    /// By a signal.
    Signal,
}

/// What makes a worker ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Readiness {
    /// The shell's word. A program may never give reason for it: where no worker was ever ready, a newcomer of a
    /// reload need only live.
    #[default]
    ToldIfEver,
    /// The shell's word, and nothing else: the program was said to give reason for it.
    Told,
    /// To have lived for [`Settings::stable_for`].
    Age,
}

/// Whether a crew whose workers do not start gives up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExitWhenDegraded {
    /// It tries on, one worker at a time.
    Never,
    /// It ends if no worker ever started properly; otherwise it tries on.
    #[default]
    IfNeverStarted,
    /// It ends, so that whatever supervises it can act.
    Always,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            most_workers: 1024,
            start_parallelism: 4,
            head_start: Duration::from_millis(100),
            readiness: Readiness::default(),
            start_deadline: Duration::from_secs(30),
            reload_deadline: Duration::from_secs(30),
            stable_for: Duration::from_secs(1),
            surge: 1,
            max_unavailable: 0,
            overlap: true,
            exit_patience: Duration::from_secs(1),
            drain: Drain::Disconnect,
            grace: Duration::from_secs(10),
            term_grace: Duration::from_secs(2),
            kill_grace: Duration::from_secs(5),
            probe_failures: None,
            answer_within: None,
            watchdog: None,
            heartbeat: None,
            examine_within: Duration::from_millis(500),
            max_age: None,
            max_connections: None,
            max_memory: None,
            stop_exit_codes: Vec::new(),
            restart_first: Duration::from_millis(100),
            restart_cap: Duration::from_secs(30),
            served_cap: Duration::from_millis(500),
            slot_budget: 5,
            crew_budget: 10,
            budget_window: Duration::from_secs(60),
            exit_when_degraded: ExitWhenDegraded::default(),
            seed: 0,
        }
    }
}

impl Settings {
    /// `wanted`, kept within what a crew may have.
    pub(super) fn bounded(&self, wanted: usize) -> usize {
        wanted.clamp(1, self.most_workers.max(1))
    }

    /// Newcomers beside others, all things considered.
    pub(super) fn surge_now(&self) -> usize {
        match (self.overlap, self.max_unavailable) {
            (false, _) => 0,
            (true, 0) => self.surge.max(1),
            (true, _) => self.surge,
        }
    }

    /// Slots without a ready worker, all things considered.
    pub(super) fn may_be_missing(&self) -> usize {
        if self.overlap { self.max_unavailable } else { self.max_unavailable.max(1) }
    }

    /// The one that a slot counts on, and one that comes or goes. So a crew never has more than twice its size, however
    /// slowly its workers end.
    pub(super) const fn processes_per_slot(&self) -> usize {
        if self.overlap { 2 } else { 1 }
    }

    /// Whether silence is held against workers.
    pub(super) fn watches(&self) -> bool {
        let deadlines = [self.answer_within, self.watchdog, self.heartbeat];
        self.probe_failures.is_some() || deadlines.iter().any(Option::is_some)
    }

    /// How long a worker that was told to leave can be there at most.
    pub(super) fn longest_end(&self) -> Duration {
        // Who never wants to be killed may say so with the longest of all times.
        self.grace.saturating_add(self.term_grace).saturating_add(self.kill_grace)
    }

    pub(super) fn crew_budget_of(&self, slots: usize) -> usize {
        self.crew_budget.max(slots.saturating_mul(2))
    }
}
