//! How many rows hold, and the aim.

use libtest_mimic::Completion;

use crate::row::{Row, Verdict};
use crate::{rows, suite};

/// Of the applicable rows so many in a hundred are to hold, at least.
const AIM_PERCENT: usize = 95;

/// Of all rows at most one in so many may be not applicable.
const NOT_APPLICABLE_ONE_IN: usize = 4;

/// The rows counted by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) passes: usize,
    pub(crate) differs: usize,
    pub(crate) not_applicable: usize,
    pub(crate) missing: usize,
    /// Tests of the suite without a row: nobody knows whether they are applicable, so they count as if they were.
    pub(crate) no_row: usize,
    /// Tests behind them.
    pub(crate) proofs: usize,
}

impl Totals {
    pub(crate) fn of(rows: &[&Row], no_row: usize) -> Self {
        let mut totals = Self { no_row, ..Self::default() };
        for row in rows {
            totals.proofs += row.proofs.len();
            match row.verdict {
                Verdict::Passes => totals.passes += 1,
                Verdict::Differs(_) => totals.differs += 1,
                Verdict::NotApplicable(..) => totals.not_applicable += 1,
                Verdict::Missing(_) => totals.missing += 1,
            }
        }
        totals
    }

    pub(crate) const fn rows(self) -> usize {
        self.applicable() + self.not_applicable
    }

    pub(crate) const fn applicable(self) -> usize {
        self.passes + self.differs + self.missing + self.no_row
    }

    /// Tenths of a percent of the applicable rows that hold as they are.
    pub(crate) const fn permille(self) -> usize {
        match self.applicable() {
            0 => 0,
            applicable => self.passes * 1000 / applicable,
        }
    }
}

/// Whether the aim is reached. Ignored, visibly, while there are tests without a row.
pub(crate) fn check() -> Result<Completion, String> {
    let rows = rows::all();
    let no_row = suite::without_a_row(&rows)?;
    let totals = Totals::of(&rows, no_row.len());
    if totals.not_applicable * NOT_APPLICABLE_ONE_IN > totals.rows() {
        return Err(format!("more than a quarter of the rows is not applicable: {totals:?}"));
    }
    if !no_row.is_empty() {
        let reason = format!("{} tests have no row yet; the page names them", no_row.len());
        return Ok(Completion::ignored_with(reason));
    }
    if totals.permille() < AIM_PERCENT * 10 {
        return Err(format!("fewer than {AIM_PERCENT} % of the applicable rows pass: {totals:?}"));
    }
    Ok(Completion::Completed)
}
