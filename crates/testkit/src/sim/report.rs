//! What a run has to say: which promise was broken, or how much was seen.

use std::collections::BTreeMap;
use std::fmt;

use super::recording::Short;

/// A promise that is held against every step. The numbers are those of ARCHITECTURE.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// Every accepted connection is counted in exactly one place, and it is the right one.
    C1Account,
    /// One worker at most has a connection with effect.
    C2OneOwner,
    /// An offer is made again only when nobody can have touched the connection.
    C3Reoffer,
    /// The primary's copy is open exactly while the connection is held or offered.
    C4Copy,
    /// Queue and windows stay within their limits.
    C5Bounds,
    /// A full queue means no accepting, and the reverse.
    C6BackPressure,
    /// A waiting connection and a worker that the policy would choose never coexist.
    C7Progress,
    /// Workers that are equal are given equally many.
    C8Fairness,
    /// A death never closes a listener, the last holder's own will does.
    C9SocketLife,
    /// The first data that a worker brings for a listener is what every worker of it gets.
    C10SharedData,
    /// As many connections count as a worker's as it has open.
    C11Live,
    /// A connection goes to whom its policy chooses, and a policy is told the truth.
    C12Choice,
    /// Nothing is done to a worker that was reaped, and no signal reaches anybody else.
    S1Reaped,
    /// The rate of starts is bounded.
    S3Starts,
    /// A worker that is told to leave has its grace before it is made to.
    S4Grace,
    /// The end comes in time, whatever workers do.
    S5End,
    /// One verdict for every reload, and no mixture after it.
    R1Verdict,
    /// A reload takes nobody away who is needed, and keeps no more than may be kept.
    R2Capacity,
    /// Nobody is replaced for a silence that is the primary's own.
    T1Pause,
    /// Who owes an answer for too long is ended.
    T2Hang,
    /// The worker's machine delivers only to listeners that are open.
    WorkerSide,
    /// When faults stop, everything comes to its end.
    Liveness,
    /// No time-out fires without progress.
    Spin,
}

/// A promise that did not hold.
#[derive(Debug, Clone)]
pub struct Broken {
    /// Which.
    pub check: Check,
    /// What was found.
    pub what: String,
}

impl Broken {
    /// This promise, with what was found.
    #[must_use]
    pub const fn new(check: Check, what: String) -> Self {
        Self { check, what }
    }
}

/// Whether a promise held.
pub type Checked = Result<(), Broken>;

/// Holds a promise against a fact. The words are made only when it is broken.
///
/// # Errors
/// When it is.
pub fn ensure(holds: bool, check: Check, what: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Broken::new(check, what())) }
}

/// A seed that broke a promise.
#[derive(Debug, Clone)]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// The step, from 0.
    pub step: u64,
    /// What was broken.
    pub broken: Broken,
    /// The last steps before it.
    pub trace: Vec<String>,
    /// What it was shrunk to.
    pub short: Option<Box<Short>>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Broken { check, what } = &self.broken;
        writeln!(f, "seed {} breaks {check:?} at step {}: {what}", self.seed, self.step)?;
        if let Some(short) = &self.short {
            write!(f, "{short}")?;
        } else {
            writeln!(f, "the last {} lines of its trace:", self.trace.len())?;
            self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        }
        write!(
            f,
            "again: PORTCREW_SIM_SEED={} cargo test -p portcrew-testkit --test sim -- --nocapture",
            self.seed
        )
    }
}

impl std::error::Error for Violation {}

/// How often each situation occurred. A simulation that never meets a fault proves nothing about it.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    /// Counts a situation.
    pub fn saw(&mut self, what: &'static str) {
        self.add(what, 1);
    }

    /// Counts a situation several times.
    pub fn add(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    /// Adds another run's counts.
    pub fn merge(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.add(what, *times);
        }
    }

    /// How often a situation occurred.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.0 {
            writeln!(f, "{times:>10}  {what}")?;
        }
        Ok(())
    }
}

/// The last lines of a run, kept only when somebody will read them.
#[derive(Debug, Default)]
pub struct Trace {
    /// How many lines are kept; 0 keeps none and makes none.
    pub keep: usize,
    lines: std::collections::VecDeque<String>,
}

impl Trace {
    /// A trace of at most so many lines.
    #[must_use]
    pub fn keeping(keep: usize) -> Self {
        Self { keep, ..Self::default() }
    }

    /// Adds a line.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if self.keep == 0 {
            return;
        }
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        self.lines.push_back(line());
    }

    /// What was kept.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
