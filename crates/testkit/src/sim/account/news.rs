//! What is told of policies: it must be true.

use portcrew_core::ListenerId;
use portcrew_core::primary::{Mode, Scheduling};

use super::{Account, Counting, Holding, Listing};
use crate::sim::report::{Check, Checked, ensure};

impl Account {
    /// Holds news of a listener's policy against what is so.
    pub(super) fn scheduling(&mut self, listener: ListenerId, news: &Scheduling) -> Checked {
        let Some(it) = self.listings.get(&listener) else {
            return ensure(false, Check::C12Choice, || format!("of no listener: {news:?}"));
        };
        let called = self.called(it);
        let (is_right, check) = match news {
            Scheduling::Policy { name } => (*name == called, Check::C12Choice),
            Scheduling::Counted { by } => (it.counting == Counting::By(*by), Check::C11Live),
            Scheduling::Uncounted { worker } => {
                let member = self.crew.get_mut(worker);
                let first = |said: &mut bool| !std::mem::replace(said, true);
                let is_news =
                    |it: &mut super::Member| it.is_silent && first(&mut it.said_uncounted);
                (member.is_some_and(is_news), Check::C11Live)
            }
            Scheduling::Summary { policy, counts, given } => {
                let counted = (counts.given, counts.refused) == (it.given, it.refused);
                (*policy == called && counted && is_given(it, given), Check::C12Choice)
            }
            // At each offer that a failure decided the account has noticed it.
            _ => (true, Check::C12Choice),
        };
        ensure(is_right, check, || format!("listener {listener}: {news:?}"))
    }

    /// What the policy of a listener is called.
    #[must_use]
    pub fn called(&self, it: &Listing) -> &'static str {
        match self.rules.mode(&it.address) {
            Mode::Shared => "shared",
            Mode::Kernel => "kernel",
            Mode::Handover => self.rules.of(&it.address).name(),
        }
    }
}

/// Whether these are its holders, with what each was given.
fn is_given(it: &Listing, told: &[(portcrew_core::WorkerId, u64)]) -> bool {
    let parts = |it: &Holding| (it.worker, it.given());
    let mut right: Vec<_> = it.holdings.iter().map(parts).collect();
    let mut told = told.to_vec();
    right.sort_unstable();
    told.sort_unstable();
    right == told
}
