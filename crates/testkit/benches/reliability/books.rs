//! What a run cost, out of the clients' books and the primary's.

use std::collections::BTreeMap;

use portcrew_testkit::http::Report;
use portcrew_testkit::ledger::{Ledger, PrimaryCounts};
use serde::Serialize;

use crate::traffic::{Traffic, listed};

/// Both books in one.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Books {
    pub(crate) attempts: u64,
    #[serde(flatten)]
    pub(crate) traffic: Traffic,
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
        let mut traffic = Traffic::default();
        traffic.add(report);
        Self {
            attempts: report.attempts(),
            traffic,
            hung: report.hung(),
            refused: report.refused,
            ..Self::default()
        }
    }

    pub(crate) fn closed_text(&self) -> String {
        listed(&self.closed)
    }

    /// All that a run in which nobody dies must be without.
    pub(crate) fn losses(&self) -> u64 {
        self.traffic.failures() + self.inside + self.closed.values().sum::<u64>()
    }

    /// `equal`, or what is wrong.
    pub(crate) fn verdict(&self) -> String {
        if self.disagreements.is_empty() {
            return "equal".to_owned();
        }
        self.disagreements.join("; ")
    }
}
