//! The clients' books against the primary's. A run in which they disagree has failed, even if nobody saw an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::http::Report;

/// What a primary says of the connections that it accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryCounts {
    /// Taken from the kernel.
    pub accepted: u64,
    /// Taken over by a worker.
    pub taken: u64,
    /// Waiting in the primary.
    #[serde(default)]
    pub held: u64,
    /// On their way to a worker.
    #[serde(default)]
    pub offered: u64,
    /// Closed by the primary, by reason.
    #[serde(default)]
    pub closed: BTreeMap<String, u64>,
}

/// What the clients saw, over one or more loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCounts {
    /// Attempts, whatever became of them.
    pub attempts: u64,
    /// Whole answers.
    pub ok: u64,
    /// Attempts that were neither ok nor raced.
    pub failures: u64,
    /// Connections that came about.
    pub connections: u64,
    /// Connections that gave at least one whole answer.
    pub answering_connections: u64,
    /// Sum of the answers over the workers.
    pub named: u64,
}

/// Both books of one run, and the losses that are allowed in it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    clients: ClientCounts,
    primary: PrimaryCounts,
    unaccepted: u64,
    allowed_failures: u64,
}

/// Why the primary closes a connection whose worker has died.
const DIED_WITH: [&str; 3] = ["touched", "peer_gone", "unprovable"];

/// Where the books disagree: one sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imbalance(pub Vec<String>);

impl PrimaryCounts {
    /// Every accepted connection is in exactly one place.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.accepted == self.held + self.offered + self.taken + self.closed.values().sum::<u64>()
    }

    /// Taken, or closed because the worker died that had them in its hands.
    fn with_a_worker(&self) -> u64 {
        let closed = DIED_WITH.iter().filter_map(|reason| self.closed.get(*reason));
        self.taken + closed.sum::<u64>()
    }

    /// What happened between an earlier count and this one. What is held and offered is a level and stays as it is.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |reason: &String| earlier.closed.get(reason).copied().unwrap_or(0);
        let closed =
            self.closed.iter().map(|(reason, n)| (reason.clone(), n.saturating_sub(less(reason))));
        Self {
            accepted: self.accepted.saturating_sub(earlier.accepted),
            taken: self.taken.saturating_sub(earlier.taken),
            held: self.held,
            offered: self.offered,
            closed: closed.collect(),
        }
    }
}

impl Ledger {
    /// Opens the books with the primary's side.
    #[must_use]
    pub fn new(primary: PrimaryCounts) -> Self {
        Self { primary, ..Self::default() }
    }

    /// Adds the report of a load that had this primary as its only target.
    #[must_use]
    pub fn with(mut self, report: &Report) -> Self {
        self.clients.attempts += report.attempts();
        self.clients.ok += report.ok;
        self.clients.failures += report.failures();
        self.clients.connections += report.connections;
        self.clients.answering_connections += report.connections_by_worker.values().sum::<u64>();
        self.clients.named += report.by_worker.values().sum::<u64>();
        self
    }

    /// So many connections may still be in the kernel's queue, or have been lost there on purpose.
    #[must_use]
    pub fn unaccepted(mut self, at_most: u64) -> Self {
        self.unaccepted = at_most;
        self
    }

    /// So many attempts may have failed: the requests that were inside workers when those were killed.
    #[must_use]
    pub fn allow_failures(mut self, at_most: u64) -> Self {
        self.allowed_failures = at_most;
        self
    }

    /// Connections that were with a worker and never answered on. A worker that dies may have answered one whose answer
    /// to the primary was lost with it: that one is closed as touched, and no client is the worse for it.
    #[must_use]
    pub fn inside(&self) -> u64 {
        self.primary.with_a_worker().saturating_sub(self.clients.answering_connections)
    }

    /// Compares the books.
    ///
    /// # Errors
    /// Every disagreement, as a sentence.
    pub fn check(&self) -> Result<(), Imbalance> {
        let (clients, primary) = (&self.clients, &self.primary);
        let waiting = clients.connections.saturating_sub(primary.accepted);
        let mut wrong = Vec::new();
        let mut rule = |holds: bool, sentence: String| {
            if !holds {
                wrong.push(sentence);
            }
        };
        rule(primary.is_conserved(), format!("the primary lost sight of connections: {primary:?}"));
        rule(
            primary.accepted <= clients.connections,
            format!("accepted {} of {} connections", primary.accepted, clients.connections),
        );
        rule(
            waiting <= self.unaccepted,
            format!("{waiting} connections never accepted, {} allowed", self.unaccepted),
        );
        rule(
            clients.answering_connections <= primary.with_a_worker(),
            format!(
                "{} connections answered, {} were with a worker",
                clients.answering_connections,
                primary.with_a_worker()
            ),
        );
        rule(
            clients.named == clients.ok,
            format!("{} answers, {} by worker", clients.ok, clients.named),
        );
        rule(
            clients.failures <= self.allowed_failures,
            format!("{} attempts failed, {} allowed", clients.failures, self.allowed_failures),
        );
        if wrong.is_empty() { Ok(()) } else { Err(Imbalance(wrong)) }
    }

    /// As [`check`](Self::check), failing the test.
    ///
    /// # Panics
    /// With every disagreement and both books.
    #[track_caller]
    pub fn assert_balanced(&self) {
        if let Err(imbalance) = self.check() {
            panic!("{imbalance}{:#?}\n{:#?}", self.clients, self.primary);
        }
    }
}

impl fmt::Display for Imbalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|sentence| writeln!(f, "the books disagree: {sentence}"))
    }
}

impl std::error::Error for Imbalance {}

#[cfg(test)]
mod tests {
    use super::{ClientCounts, Ledger, PrimaryCounts};

    fn primary() -> PrimaryCounts {
        let closed = [("held_too_long".to_owned(), 1)].into();
        PrimaryCounts { accepted: 10, taken: 9, closed, ..PrimaryCounts::default() }
    }

    fn ledger() -> Ledger {
        let clients = ClientCounts {
            attempts: 10,
            ok: 9,
            failures: 1,
            connections: 10,
            answering_connections: 9,
            named: 9,
        };
        Ledger { clients, primary: primary(), unaccepted: 0, allowed_failures: 1 }
    }

    #[test]
    fn books_that_agree_balance() {
        assert_eq!(ledger().check(), Ok(()));
        assert_eq!(ledger().inside(), 0);
    }

    #[test]
    fn an_answer_whose_word_to_the_primary_died_with_its_worker_is_no_discrepancy() {
        let mut ledger = ledger();
        // Two were in the hands of a worker that died: it had answered one of them.
        ledger.primary.closed = [("peer_gone".to_owned(), 1), ("touched".to_owned(), 1)].into();
        ledger.primary.taken = 8;
        assert_eq!((ledger.check(), ledger.inside()), (Ok(()), 1));
    }

    #[test]
    fn each_single_discrepancy_is_found() {
        let spoil: [fn(&mut Ledger); 7] = [
            |ledger| ledger.primary.taken += 1,
            |ledger| ledger.primary.held += 1,
            |ledger| ledger.clients.connections += 1,
            |ledger| ledger.clients.connections -= 1,
            |ledger| ledger.clients.answering_connections += 1,
            |ledger| ledger.clients.named -= 1,
            |ledger| ledger.clients.failures += 1,
        ];
        for (number, spoil) in spoil.iter().enumerate() {
            let mut ledger = ledger();
            spoil(&mut ledger);
            assert!(ledger.check().is_err(), "discrepancy {number} was not found");
        }
    }

    #[test]
    fn a_difference_of_counts_is_conserved_like_its_ends() {
        let mut later = primary();
        later.accepted += 5;
        later.taken += 3;
        later.closed.insert("shutdown".to_owned(), 2);
        let between = later.since(&primary());
        assert!(between.is_conserved());
        assert_eq!((between.accepted, between.taken), (5, 3));
    }
}
