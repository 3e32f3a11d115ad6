//! The account of every connection that the primary accepted.

/// Why a connection that no worker took was closed. Each has its own count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CloseReason {
    /// It waited longer than [`Limits::held_for`](crate::Limits::held_for) for a worker.
    HeldTooLong,
    /// Workers refused it [`Limits::refusals`](crate::Limits::refusals) times.
    AllRefused,
    /// The policy refused it.
    PolicyRefused,
    /// The client had gone when its worker died.
    PeerGone,
    /// Its worker died unanswered and the kernel shows that somebody had read or written.
    Touched,
    /// Its worker died unanswered and nothing can prove that it was untouched (Unix-domain sockets).
    Unprovable,
    /// Its worker closed the channel unanswered and lives on.
    Abandoned,
    /// The listener was closed while it waited.
    ListenerClosed,
    /// There was no room for it ([`Limits::shed`](crate::Limits::shed)).
    Shed,
}

impl CloseReason {
    /// Every reason, in the order of the counts.
    pub const ALL: &'static [Self] = &[
        Self::HeldTooLong,
        Self::AllRefused,
        Self::PolicyRefused,
        Self::PeerGone,
        Self::Touched,
        Self::Unprovable,
        Self::Abandoned,
        Self::ListenerClosed,
        Self::Shed,
    ];

    /// The name used in output and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeldTooLong => "held_too_long",
            Self::AllRefused => "all_refused",
            Self::PolicyRefused => "policy_refused",
            Self::PeerGone => "peer_gone",
            Self::Touched => "touched",
            Self::Unprovable => "unprovable",
            Self::Abandoned => "abandoned",
            Self::ListenerClosed => "listener_closed",
            Self::Shed => "shed",
        }
    }
}

/// Counts that always agree: `accepted = held + offered + taken + closed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ledger {
    /// Connections that the primary accepted.
    pub accepted: u64,
    /// Of these, waiting in the primary now.
    pub held: u64,
    /// Of these, offered to a worker and not yet answered.
    pub offered: u64,
    /// Of these, taken by a worker.
    pub taken: u64,
    /// Of these, closed, by the reasons in [`CloseReason::ALL`].
    closed: [u64; CloseReason::ALL.len()],
    /// Offers made again after a refusal, a lost descriptor or a worker's death. Not part of the sum.
    pub offered_again: u64,
    /// Connections that had waited too long for the worker of their place, where the kernel spreads connections over
    /// sockets, and were handed to another. They are among the accepted: no others of such a listener are.
    pub rescued: u64,
    /// Answers that named no outstanding offer. They change nothing else.
    pub stray_answers: u64,
    /// Times that accepting failed. Not part of the sum.
    pub accept_failures: u64,
    /// Times a scheduler named a worker that does not hold the listener.
    pub bad_picks: u64,
    /// Schedulers that panicked; each is not asked again.
    pub scheduler_panics: u64,
    /// Connections whose first bytes were waited for in vain, so that the address decided.
    pub looked_in_vain: u64,
    /// Connections that were open in workers which ended unasked, as far as they are counted. They were taken, so they are
    /// not part of the sum.
    pub died_inside: u64,
    /// Workers that ended unasked and had taken connections which nobody counted: how many died inside them is unknown.
    pub died_uncounted: u64,
    /// The same as [`died_inside`](Self::died_inside) of workers that were asked to leave and were ended by a signal.
    pub cut_inside: u64,
    /// The same as [`died_uncounted`](Self::died_uncounted) of those.
    pub cut_uncounted: u64,
}

impl Ledger {
    /// Connections closed for `reason`.
    #[must_use]
    pub fn closed_for(&self, reason: CloseReason) -> u64 {
        self.closed[reason as usize]
    }

    /// All connections closed without a worker.
    #[must_use]
    pub fn closed_total(&self) -> u64 {
        self.closed.iter().sum()
    }

    /// Whether every accepted connection is accounted for exactly once.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.accepted == self.held + self.offered + self.taken + self.closed_total()
    }

    /// Every count with its name in output and metrics; those of [`CloseReason::ALL`] have
    /// [their own](CloseReason::name).
    #[must_use]
    pub const fn counts(&self) -> [(&'static str, u64); 15] {
        // Written out, so that none is left out: the compiler knows them all.
        let Self {
            accepted,
            held,
            offered,
            taken,
            closed: _,
            offered_again,
            rescued,
            stray_answers,
            accept_failures,
            bad_picks,
            scheduler_panics,
            looked_in_vain,
            died_inside,
            died_uncounted,
            cut_inside,
            cut_uncounted,
        } = *self;
        [
            ("accepted", accepted),
            ("held", held),
            ("offered", offered),
            ("taken", taken),
            ("offered_again", offered_again),
            ("rescued", rescued),
            ("stray_answers", stray_answers),
            ("accept_failures", accept_failures),
            ("bad_picks", bad_picks),
            ("scheduler_panics", scheduler_panics),
            ("looked_in_vain", looked_in_vain),
            ("died_inside", died_inside),
            ("died_uncounted", died_uncounted),
            ("cut_inside", cut_inside),
            ("cut_uncounted", cut_uncounted),
        ]
    }

    pub(crate) fn close(&mut self, reason: CloseReason) {
        self.close_all(reason, 1);
    }

    pub(crate) fn close_all(&mut self, reason: CloseReason, count: u64) {
        self.closed[reason as usize] += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_counts_in_a_place_of_its_own() {
        let mut ledger = Ledger::default();
        for reason in CloseReason::ALL {
            ledger.close(*reason);
            assert_eq!(ledger.closed_for(*reason), 1, "{}", reason.name());
        }
        ledger.accepted = ledger.closed_total();
        assert!(ledger.balances());
        ledger.taken += 1;
        assert!(!ledger.balances());
    }
}
