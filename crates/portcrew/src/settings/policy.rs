//! Who gets the next connection.

use std::fmt;

use portcrew_core::primary::Rule;
use portcrew_core::scheduler::{LeastConnections, RoundRobin, Scheduler as _, Sticky};

use crate::wire;

/// Who gets the next connection. For a policy of your own see
/// [`Cluster::with_scheduler`](crate::Cluster::with_scheduler).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The primary accepts and hands over to the free worker that was given fewest so far; one that has owed an answer
    /// for half a millisecond comes last. Node's default, made exact.
    #[default]
    RoundRobin,
    /// The primary accepts and hands over to the free worker with the fewest open connections. The kernel tells when
    /// one ends, so any program can be counted; where it does not ([`Event::Scheduling`](crate::Event::Scheduling)
    /// says so), Rust workers may tell ([`Listener::accept_told`](crate::Listener::accept_told)), and workers that
    /// tell nothing are dealt with in turn.
    LeastConnections,
    /// The primary accepts and hands each client to one worker, as long as that one is there.
    Sticky(Sticky),
    /// The workers accept from one socket and the kernel decides: Node's `SCHED_NONE`.
    Shared,
    /// Each worker accepts from a socket of its own, and the kernel spreads connections over them (SO_REUSEPORT,
    /// socket(7)): the highest rate. The sockets belong to the primary: what waits at one whose worker dies goes to its
    /// successor, and what waits longer than 20 ms at one whose worker is stuck is handed to another worker.
    ///
    /// For TCP and UDP; of a Unix-domain path or a descriptor there is one socket, from which all accept. It is chosen
    /// before the listeners are opened. Linux alone has it.
    Kernel,
}

impl Policy {
    /// The policy that `NODE_CLUSTER_SCHED_POLICY` names: `rr`, or `none` for [`Shared`](Self::Shared).
    /// Unset and anything else is the default, as in Node.
    #[must_use]
    pub fn from_env() -> Self {
        match std::env::var("NODE_CLUSTER_SCHED_POLICY").as_deref() {
            Ok("none") => Self::Shared,
            Ok(_) | Err(_) => Self::RoundRobin,
        }
    }

    /// Whether workers accept by themselves under it.
    pub(crate) const fn is_without_primary(&self) -> bool {
        match self {
            Self::Shared | Self::Kernel => true,
            Self::RoundRobin | Self::LeastConnections | Self::Sticky(_) => false,
        }
    }

    pub(crate) fn rule(&self) -> Rule {
        match self {
            Self::RoundRobin => Rule::handover(RoundRobin),
            Self::LeastConnections => Rule::handover(LeastConnections),
            Self::Sticky(sticky) => Rule::handover(sticky.clone()),
            Self::Shared => Rule::shared(),
            Self::Kernel => Rule::kernel(),
        }
    }

    /// Why it cannot be.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        match self {
            Self::Sticky(it) if it.ipv4_prefix > 32 => {
                Some("an IPv4 address has 32 bits; set Sticky::ipv4_prefix to 32 or less")
            }
            Self::Sticky(it) if it.ipv6_prefix > 128 => {
                Some("an IPv6 address has 128 bits; set Sticky::ipv6_prefix to 128 or less")
            }
            Self::Sticky(it) if it.needs().look.is_some_and(|it| wire::look(&it).is_err()) => Some(
                "the name that Sticky::by looks for is one that no request can have; letters, digits, `-` and `_` \
                 are safe",
            ),
            Self::RoundRobin
            | Self::LeastConnections
            | Self::Sticky(_)
            | Self::Shared
            | Self::Kernel => None,
        }
    }
}

/// Its name, as on the command line.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RoundRobin => "round-robin",
            Self::LeastConnections => "least-connections",
            Self::Sticky(_) => "sticky",
            Self::Shared => "shared",
            Self::Kernel => "kernel",
        })
    }
}
