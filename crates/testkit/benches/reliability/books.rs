//! What a run cost, out of the clients' books and the primary's.

use std::collections::BTreeMap;

use portcrew_testkit::http::{Outcome, Report};
use portcrew_testkit::ledger::{Ledger, PrimaryCounts};
use serde::Serialize;

/// Both books in one.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Books {
    pub(crate) attempts: u64,
    pub(crate) answered: u64,
    /// Attempts that failed, by class, those alone that occurred.
    pub(crate) failed: BTreeMap<&'static str, u64>,
    /// Given up after the time of a try.
    pub(crate) hung: u64,
    pub(crate) refused: u64,
    /// Connections that a worker had and did not answer before it died.
    pub(crate) inside: u64,
    /// Those that the primary closed, by reason. A client may have had its answer before.
    pub(crate) closed: BTreeMap<String, u64>,
    /// Shed by a primary that has no room.
    pub(crate) shed: u64,
    /// Failures that neither of both explains.
    pub(crate) unexplained: u64,
    /// Where the books disagree: one sentence each.
    pub(crate) disagreements: Vec<String>,
}

impl Books {
    /// `counts` are those of the load alone.
    pub(crate) fn of(report: &Report, counts: PrimaryCounts) -> Self {
        let closed: BTreeMap<_, _> =
            counts.closed.clone().into_iter().filter(|(_, n)| *n > 0).collect();
        let ledger = Ledger::new(counts).with(report);
        let inside = ledger.inside();
        let shed = closed.get("shed").copied().unwrap_or(0);
        let explained = inside + shed;
        let checked = ledger.allow_failures(explained).check();
        Self {
            inside,
            closed,
            shed,
            unexplained: report.failures().saturating_sub(explained),
            disagreements: checked.err().map_or_else(Vec::new, |it| it.0),
            ..Self::of_clients(report)
        }
    }

    /// Without a primary that keeps books.
    pub(crate) fn of_clients(report: &Report) -> Self {
        let bad = Outcome::ALL.into_iter().filter(|it| *it != Outcome::Ok);
        let failed = bad.map(|it| (it.name(), report.count(it))).filter(|(_, count)| *count > 0);
        Self {
            attempts: report.attempts(),
            answered: report.ok,
            failed: failed.collect(),
            hung: report.hung(),
            refused: report.refused,
            ..Self::default()
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// `0`, or how many by class.
    pub(crate) fn failed_text(&self) -> String {
        list(self.failed.iter())
    }

    pub(crate) fn closed_text(&self) -> String {
        list(self.closed.iter())
    }

    /// `equal`, or what is wrong.
    pub(crate) fn verdict(&self) -> String {
        if self.disagreements.is_empty() {
            return "equal".to_owned();
        }
        self.disagreements.join("; ")
    }
}

fn list<N: std::fmt::Display>(
    counts: impl ExactSizeIterator<Item = (N, impl std::fmt::Display)>,
) -> String {
    if counts.len() == 0 {
        return "0".to_owned();
    }
    let named = counts.map(|(name, count)| format!("{count} {name}"));
    named.collect::<Vec<_>>().join(", ")
}
