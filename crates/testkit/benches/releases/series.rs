//! A series of times: its middle and its worst.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// In milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Series {
    pub(crate) median_ms: f64,
    pub(crate) worst_ms: f64,
}

impl Series {
    /// None of an empty series.
    pub(crate) fn of(times: &[Duration]) -> Option<Self> {
        Self::of_ms(times.iter().map(|it| it.as_secs_f64() * 1e3).collect())
    }

    /// The same of milliseconds, which may lie below zero.
    pub(crate) fn of_ms(mut times: Vec<f64>) -> Option<Self> {
        times.sort_by(f64::total_cmp);
        Some(Self { median_ms: *times.get(times.len() / 2)?, worst_ms: *times.last()? })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median_ms, worst_ms } = self;
        let digits = usize::from(*median_ms < 100.0);
        write!(f, "{median_ms:.digits$} ({worst_ms:.digits$})")
    }
}
