//! What came out of a load.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::latency::Latency;
use super::outcome::Outcome;

/// Of the attempts that were not ok, so many first ones are described.
pub const MAX_SAMPLES: usize = 16;

/// The result of a load. Every attempt is in exactly one of the first nine counts.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Whole answers with a status from 200 to 299.
    pub ok: u64,
    /// See [`Outcome::Refused`].
    pub refused: u64,
    /// See [`Outcome::Reset`].
    pub reset: u64,
    /// See [`Outcome::EofWithoutAnswer`].
    pub eof_without_answer: u64,
    /// See [`Outcome::NeverConnected`].
    pub never_connected: u64,
    /// See [`Outcome::Timeout`].
    pub timeout: u64,
    /// See [`Outcome::Partial`].
    pub partial: u64,
    /// See [`Outcome::BadResponse`].
    pub bad_response: u64,
    /// See [`Outcome::Raced`].
    pub raced: u64,
    /// Attempts that were asked for and never begun, because time, stop or client ended the load before.
    pub unstarted: u64,
    /// Connections that came about.
    pub connections: u64,
    /// Kept connections that the server had closed before any byte of the next request was written. No failure.
    pub reconnects: u64,
    /// Kept connections that ended by an announced `Connection: close` before their number of requests. No failure.
    pub announced: u64,
    /// Answers to `Connection: close` whose connection the server still held open after the time of a try.
    pub not_closed: u64,
    /// Answers counted by the worker that gave them; `unnamed` where the answer does not say. Their sum is `ok`.
    pub by_worker: BTreeMap<String, u64>,
    /// Answers counted by the generation of the worker that gave them, of those that say it.
    pub by_generation: BTreeMap<String, u64>,
    /// Connections counted by the worker that gave their first whole answer.
    pub connections_by_worker: BTreeMap<String, u64>,
    /// The time of whole answers: from the start of the connect, in an open loop from the moment it was due.
    pub latency: Latency,
    /// The longest of all attempts, whatever became of it.
    #[serde(rename = "slowest_attempt_us", serialize_with = "microseconds")]
    pub slowest_attempt: Duration,
    /// From the first attempt's begin to the last one's end.
    #[serde(rename = "elapsed_us", serialize_with = "microseconds")]
    pub elapsed: Duration,
    /// The first attempts that were not ok, at most [`MAX_SAMPLES`].
    pub samples: Vec<FailureSample>,
}

/// One attempt that was not ok.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FailureSample {
    /// When it ended, from the start of the load.
    #[serde(rename = "at_us", serialize_with = "microseconds")]
    pub at: Duration,
    /// How long it took.
    #[serde(rename = "took_us", serialize_with = "microseconds")]
    pub took: Duration,
    /// Its class.
    #[serde(serialize_with = "name")]
    pub outcome: Outcome,
    /// What was seen.
    pub why: String,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            ok: 0,
            refused: 0,
            reset: 0,
            eof_without_answer: 0,
            never_connected: 0,
            timeout: 0,
            partial: 0,
            bad_response: 0,
            raced: 0,
            unstarted: 0,
            connections: 0,
            reconnects: 0,
            announced: 0,
            not_closed: 0,
            by_worker: BTreeMap::new(),
            by_generation: BTreeMap::new(),
            connections_by_worker: BTreeMap::new(),
            latency: Latency::new(),
            slowest_attempt: Duration::ZERO,
            elapsed: Duration::ZERO,
            samples: Vec::new(),
        }
    }

    /// How many attempts had this outcome.
    #[must_use]
    pub const fn count(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Ok => self.ok,
            Outcome::Refused => self.refused,
            Outcome::Reset => self.reset,
            Outcome::EofWithoutAnswer => self.eof_without_answer,
            Outcome::NeverConnected => self.never_connected,
            Outcome::Timeout => self.timeout,
            Outcome::Partial => self.partial,
            Outcome::BadResponse => self.bad_response,
            Outcome::Raced => self.raced,
        }
    }

    pub(super) const fn count_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Refused => &mut self.refused,
            Outcome::Reset => &mut self.reset,
            Outcome::EofWithoutAnswer => &mut self.eof_without_answer,
            Outcome::NeverConnected => &mut self.never_connected,
            Outcome::Timeout => &mut self.timeout,
            Outcome::Partial => &mut self.partial,
            Outcome::BadResponse => &mut self.bad_response,
            Outcome::Raced => &mut self.raced,
        }
    }

    /// All attempts.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.count(*outcome)).sum()
    }

    /// All attempts that were neither ok nor raced.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.attempts() - self.ok - self.raced
    }

    /// Attempts that were given up after the time of a try, and connections that the server left open after its answer.
    #[must_use]
    pub const fn hung(&self) -> u64 {
        self.never_connected + self.timeout + self.not_closed
    }

    /// Whole answers per second of the run.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn per_second(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.ok as f64 / self.elapsed.as_secs_f64() }
    }

    /// The most that a worker answered over the least, of those that answered; 1 is even. None without an answer.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn max_over_min(&self) -> Option<f64> {
        let most = self.by_worker.values().max()?;
        let least = self.by_worker.values().min()?;
        Some(*most as f64 / *least as f64)
    }

    /// Fails the test, with the whole report, unless every attempt that was asked for was made and answered.
    ///
    /// # Panics
    /// When there is a failure, a raced or an unstarted attempt, or none at all.
    #[track_caller]
    pub fn assert_all_ok(&self) {
        let clean = self.ok > 0 && self.ok == self.attempts() && self.unstarted == 0;
        assert!(clean, "not every attempt was answered:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        writeln!(
            f,
            "attempts {} in {seconds:.3} s, {:.0} answers/s",
            self.attempts(),
            self.per_second()
        )?;
        for outcome in Outcome::ALL {
            writeln!(f, "  {outcome:<20}{:>10}", self.count(outcome))?;
        }
        for (name, count) in [
            ("unstarted", self.unstarted),
            ("connections", self.connections),
            ("reconnects", self.reconnects),
            ("announced", self.announced),
            ("not closed", self.not_closed),
        ] {
            writeln!(f, "  {name:<20}{count:>10}")?;
        }
        writeln!(f, "latency  {}", self.latency)?;
        writeln!(f, "slowest attempt  {:.3} ms", self.slowest_attempt.as_secs_f64() * 1e3)?;
        for (worker, count) in &self.by_worker {
            let connections = self.connections_by_worker.get(worker).unwrap_or(&0);
            writeln!(f, "worker {worker:<13}{count:>10}  on {connections} connections")?;
        }
        for (generation, count) in &self.by_generation {
            writeln!(f, "generation {generation:<9}{count:>10}")?;
        }
        for sample in &self.samples {
            let (at, took) = (sample.at.as_secs_f64(), sample.took.as_secs_f64() * 1e3);
            writeln!(f, "at {at:.3} s after {took:.1} ms: {}: {}", sample.outcome, sample.why)?;
        }
        Ok(())
    }
}

fn microseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(super::latency::microseconds(*time))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde's signature.
fn name<S: Serializer>(outcome: &Outcome, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.name())
}
