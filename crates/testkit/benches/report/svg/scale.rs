//! From values to places on the axis, and where its lines are.

/// How values are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// From nothing on.
    Linear,
    /// By their logarithm, from the power of ten below the smallest.
    Logarithmic,
}

/// An axis for certain values.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    axis: Axis,
    lowest: f64,
    highest: f64,
    /// Values with a line.
    pub(super) ticks: Vec<f64>,
}

/// Lines of a linear axis, about.
const LINES: f64 = 5.0;

impl Scale {
    pub(super) fn of(axis: Axis, values: impl Iterator<Item = f64> + Clone) -> Self {
        let most = values.clone().fold(f64::MIN_POSITIVE, f64::max);
        match axis {
            Axis::Linear => {
                let step = step(most / LINES);
                let count = (most / step).ceil().max(1.0);
                let ticks = series(0.0, count).map(|it| it * step).collect();
                Self { axis, lowest: 0.0, highest: count * step, ticks }
            }
            Axis::Logarithmic => {
                let least = values.filter(|it| *it > 0.0).fold(most, f64::min);
                let (low, high) = (least.log10().floor(), most.log10().ceil());
                // The smallest bar has a length too.
                let low = if least.log10() - low < 0.15 { low - 1.0 } else { low };
                let high = high.max(low + 1.0);
                let ticks = series(low, high).map(|it| 10_f64.powf(it)).collect();
                Self { axis, lowest: low, highest: high, ticks }
            }
        }
    }

    /// From 0 at the axis' begin to 1 at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = match self.axis {
            Axis::Linear => value,
            Axis::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        ((value - self.lowest) / (self.highest - self.lowest)).clamp(0.0, 1.0)
    }
}

/// Whole numbers from the first to the last.
fn series(first: f64, last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |it| Some(it + 1.0)).take_while(move |it| *it <= last)
}

/// 1, 2 or 5 times a power of ten, not below.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|it| it * power >= least);
    times.unwrap_or(10.0) * power
}
