//! How many connections may be shed: so many in each span of time, however often there is room in between.

use std::time::Duration;

use crate::{Limits, Time};

/// What is left of the present span.
#[derive(Debug, Default)]
pub(super) struct Shedding {
    left: u32,
    /// Where the span ends, once the first has begun.
    until: Option<Time>,
}

impl Shedding {
    /// How many may be shed now; a span that is over is followed by a new one.
    pub(super) fn left(&mut self, now: Time, limits: &Limits) -> u32 {
        if limits.shed > 0 && self.until.is_none_or(|until| until <= now) {
            self.left = limits.shed;
            // A span without length would have no end to wait for.
            self.until = Some(now + limits.shed_every.max(Duration::from_nanos(1)));
        }
        self.left
    }

    pub(super) const fn took(&mut self, count: u32) {
        self.left = self.left.saturating_sub(count);
    }

    /// When more may be shed; `None` where nothing is.
    pub(super) const fn next(&self) -> Option<Time> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_span_and_as_many_in_the_next() {
        let at = |millis| Time::from_origin(Duration::from_millis(millis));
        let mut limits = Limits { shed_every: Duration::from_millis(50), ..Limits::default() };
        let mut shedding = Shedding::default();
        assert_eq!((shedding.left(at(0), &limits), shedding.next()), (0, None));
        limits.shed = 3;
        assert_eq!(shedding.left(at(0), &limits), 3);
        shedding.took(2);
        assert_eq!(shedding.left(at(49), &limits), 1);
        shedding.took(2);
        assert_eq!((shedding.left(at(49), &limits), shedding.next()), (0, Some(at(50))));
        assert_eq!(shedding.left(at(50), &limits), 3);
        limits.shed_every = Duration::ZERO;
        shedding.took(3);
        assert!(shedding.left(at(200), &limits) == 3 && shedding.next() > Some(at(200)));
    }
}
