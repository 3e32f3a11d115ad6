//! The load under which everything happens, and what became of it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use portcrew_testkit::http::{Background, Load, Outcome, Report};
use serde::Serialize;

/// Clients at once.
pub(crate) const CLIENTS: usize = 16;

/// Between an answer and the next request of a client: about a thousand requests a second in all, and processors left
/// for the workers that start.
pub(crate) const THINK: Duration = Duration::from_millis(10);

/// No load is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// What a client does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// One request each, with `Connection: close`.
    Close,
    /// It keeps it until the server says otherwise.
    Kept,
}

/// What became of the requests of one or more loads.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Traffic {
    pub(crate) answered: u64,
    /// By class, those alone that occurred. Kept connections that ended under a request are `raced`: failed too.
    pub(crate) failed: BTreeMap<&'static str, u64>,
    /// Kept connections whose end the server announced by `Connection: close`.
    pub(crate) announced: u64,
    /// Those that it ended unannounced, between two requests.
    pub(crate) unannounced: u64,
}

impl Kind {
    /// Loads the server until the load is finished.
    pub(crate) fn begin(self, address: SocketAddr) -> Background {
        let load = Load::new(address).clients(CLIENTS).think(THINK).time_limit(LONGEST);
        match self {
            Self::Close => load.reset_on_close(true).background(),
            Self::Kept => load.keep_alive(u32::MAX).background(),
        }
    }

    pub(crate) const fn said(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Kept => "kept",
        }
    }
}

impl Traffic {
    pub(crate) fn add(&mut self, report: &Report) {
        self.answered += report.ok;
        self.announced += report.announced;
        self.unannounced += report.reconnects;
        let failed = Outcome::ALL.into_iter().filter(|it| *it != Outcome::Ok);
        for outcome in failed.filter(|it| report.count(*it) > 0) {
            *self.failed.entry(outcome.name()).or_default() += report.count(outcome);
        }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// `0`, or how many by class.
    pub(crate) fn failed_text(&self) -> String {
        listed(&self.failed)
    }
}

/// `0`, or how many of each name.
pub(crate) fn listed(counts: &BTreeMap<impl Display, u64>) -> String {
    if counts.is_empty() {
        return "0".to_owned();
    }
    let each = counts.iter().map(|(name, count)| format!("{count} {name}"));
    each.collect::<Vec<_>>().join(", ")
}
