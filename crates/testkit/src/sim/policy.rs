//! The policies of the simulated primaries, without memory, so that a checker can ask them again.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portcrew_core::WorkerId;
use portcrew_core::scheduler::{
    Incoming, LeastConnections, Look, LookFor, Needs, Pick, RoundRobin, Scheduler, Sticky,
    WorkerView,
};

/// Who gets the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Core's own.
    RoundRobin,
    /// Core's own.
    LeastConnections,
    /// Core's own, by address.
    Sticky {
        /// How long a connection waits for its worker.
        wait: Duration,
    },
    /// Core's own, by a cookie.
    Cookie {
        /// How long a connection waits for its worker.
        wait: Duration,
        /// What a proxy says of the client is believed.
        proxy: bool,
    },
    /// By the client's port: it names a busy worker too, and the connection waits for that one, however long.
    Stubborn,
    /// Round robin that turns some clients away.
    Choosy,
    /// Names workers that do not exist, or do not any more.
    Confused,
    /// Panics when it meets some clients.
    Nervous,
    /// Wants to be asked again at once, for a while.
    Hasty,
    /// Takes none but workers that have said that they listen, the calmest first.
    Fussy,
}

/// How long [`Policy::Hasty`] lets a connection wait.
const HASTE: Duration = Duration::from_millis(25);

impl Policy {
    /// What it says of a connection. None: it panics.
    #[must_use]
    pub fn decide(self, incoming: &Incoming, workers: &[WorkerView]) -> Option<Pick> {
        let client = incoming.peer.map_or(0, |peer| usize::from(peer.port()));
        let in_turn = || RoundRobin.pick(incoming, workers);
        Some(match self {
            Self::RoundRobin => in_turn(),
            Self::LeastConnections => LeastConnections.pick(incoming, workers),
            Self::Sticky { wait } | Self::Cookie { wait, .. } => {
                let mut sticky = Sticky::default();
                sticky.wait = wait;
                sticky.pick(incoming, workers)
            }
            Self::Stubborn if workers.is_empty() => Pick::Wait,
            Self::Stubborn => Pick::Worker(workers[client % workers.len()].worker),
            Self::Choosy if client % 5 == 4 => Pick::Refuse,
            // One that never was, or one that may be gone.
            Self::Confused if client % 3 == 2 => {
                Pick::Worker(WorkerId(if client % 2 == 0 { u32::MAX } else { 1 }))
            }
            Self::Nervous if client % 4 == 3 => return None,
            Self::Hasty if incoming.waited < HASTE => Pick::WaitAtMost(Duration::ZERO),
            Self::Choosy | Self::Confused | Self::Nervous | Self::Hasty => in_turn(),
            Self::Fussy => workers
                .iter()
                .filter(|view| view.listening && view.is_free())
                .min_by_key(|view| (view.cpu, view.live, view.worker))
                .map_or(Pick::Wait, |view| Pick::Worker(view.worker)),
        })
    }

    /// What it looks at.
    #[must_use]
    pub fn needs(self) -> Needs {
        match self {
            Self::LeastConnections => Needs::LIVE,
            Self::Sticky { .. } | Self::Cookie { .. } => self.sticky().needs(),
            Self::Fussy => Needs::ALL,
            Self::RoundRobin
            | Self::Stubborn
            | Self::Choosy
            | Self::Confused
            | Self::Nervous
            | Self::Hasty => Needs::NONE,
        }
    }

    /// What it looks for in first bytes.
    #[must_use]
    pub fn look(self) -> Option<Look> {
        matches!(self, Self::Cookie { .. }).then(|| self.needs().look).flatten()
    }

    /// It looks at open connections.
    #[must_use]
    pub const fn needs_live(self) -> bool {
        matches!(self, Self::LeastConnections | Self::Fussy)
    }

    /// It looks at how busy processes are, and at addresses on this side.
    #[must_use]
    pub const fn needs_all(self) -> bool {
        matches!(self, Self::Fussy)
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastConnections => "least-connections",
            Self::Sticky { .. } | Self::Cookie { .. } => "sticky",
            Self::Stubborn => "stubborn",
            Self::Choosy => "choosy",
            Self::Confused => "confused",
            Self::Nervous => "nervous",
            Self::Hasty => "hasty",
            Self::Fussy => "fussy",
        }
    }

    fn sticky(self) -> Sticky {
        let mut it = match self {
            Self::Cookie { .. } => Sticky::by_value(LookFor::Cookie("sid".into())),
            _ => Sticky::default(),
        };
        if let Self::Sticky { wait } | Self::Cookie { wait, .. } = self {
            it.wait = wait;
        }
        it.proxy = matches!(self, Self::Cookie { proxy: true, .. });
        it
    }
}

/// A policy as the machine gets it. It counts what the machine must never do to a scheduler.
#[derive(Debug)]
pub struct Watched {
    policy: Policy,
    has_panicked: bool,
    wrongs: Wrongs,
}

/// How often schedulers were asked that must not be.
#[derive(Debug, Clone, Default)]
pub struct Wrongs(Arc<AtomicU32>);

impl Wrongs {
    /// So often.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Watched {
    /// This policy, which reports here.
    #[must_use]
    pub const fn new(policy: Policy, wrongs: Wrongs) -> Self {
        Self { policy, has_panicked: false, wrongs }
    }
}

impl Scheduler for Watched {
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        if self.has_panicked || !workers.iter().any(WorkerView::is_free) {
            self.wrongs.0.fetch_add(1, Ordering::Relaxed);
        }
        self.policy.decide(incoming, workers).unwrap_or_else(|| {
            self.has_panicked = true;
            // A panic that no hook prints.
            resume_unwind(Box::new("it is nervous"))
        })
    }

    fn needs(&self) -> Needs {
        self.policy.needs()
    }

    fn name(&self) -> &'static str {
        self.policy.name()
    }
}
