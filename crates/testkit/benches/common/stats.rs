//! Medians and quartiles.

use std::time::Duration;

use serde::Serialize;

/// The middle of a series and its quartiles.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Spread {
    pub(crate) lower: f64,
    pub(crate) median: f64,
    pub(crate) upper: f64,
}

impl Spread {
    /// None of an empty series.
    pub(crate) fn of(series: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = series.into_iter().filter(|it| it.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share| quantile(&sorted, share);
        Some(Self { lower: at(0.25)?, median: at(0.5)?, upper: at(0.75)? })
    }

    /// The middle, and in brackets the quartiles.
    pub(crate) fn text(self) -> String {
        let Self { lower, median, upper } = self;
        if median >= 1.0 {
            format!("{median:.2} ({lower:.2}..{upper:.2})")
        } else {
            format!("{median:.3} ({lower:.3}..{upper:.3})")
        }
    }
}

/// Of a sorted series, between its neighbours in proportion.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share.clamp(0.0, 1.0) * (sorted.len().checked_sub(1)?) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// The times of a slice, in milliseconds, at each of the shares.
pub(crate) fn milliseconds<const N: usize>(times: &[Duration], shares: [f64; N]) -> [f64; N] {
    let mut sorted: Vec<_> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
    sorted.sort_by(f64::total_cmp);
    shares.map(|share| quantile(&sorted, share).unwrap_or(f64::NAN))
}
