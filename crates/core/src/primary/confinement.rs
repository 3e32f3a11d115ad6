//! Where workers may listen that have fewer rights than their primary: it would lend them its own.

use std::collections::BTreeSet;

use super::ListenerName;
use super::machine::Primary;
use crate::{Address, WorkerId};

/// What the primary does for confined workers. It is asked only about those: others may listen wherever it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// The lowest port that needs no privilege, of TCP and UDP. Default 1024.
    pub first_free_port: u16,
    /// What they may have all the same. A port counts for TCP and UDP.
    pub allowed: BTreeSet<ListenerName>,
}

impl Default for Confinement {
    fn default() -> Self {
        Self { first_free_port: 1024, allowed: BTreeSet::new() }
    }
}

impl Confinement {
    /// The name that would have to be allowed before a confined worker may listen there; `None` where it may.
    pub(super) fn lacks(&self, address: &Address) -> Option<ListenerName> {
        let name = self.privilege(address)?;
        (!self.allowed.contains(&name)).then_some(name)
    }

    /// What there is to be lent.
    fn privilege(&self, address: &Address) -> Option<ListenerName> {
        match address {
            Address::Tcp { port, .. } => self.low(*port),
            // Sockets that reuse a port are let in by the user they belong to: the primary's would be let in beside
            // those of other programs of its user, and take their datagrams.
            Address::Udp { port, flags, fd: None, .. }
                if *port != 0 && flags & Address::UDP_REUSE_PORT != 0 =>
            {
                Some(ListenerName::Port(*port))
            }
            Address::Udp { port, fd: None, .. } => self.low(*port),
            // Made with the primary's rights to the directory. One without a file (abstract) shows the primary's user to
            // whoever connects.
            Address::Unix { path, .. } => Some(ListenerName::Path(path.clone())),
            Address::Fd { fd } | Address::Udp { fd: Some(fd), .. } => Some(ListenerName::Fd(*fd)),
        }
    }

    /// Port 0 is one that the kernel chooses, and it chooses no low one.
    const fn low(&self, port: u16) -> Option<ListenerName> {
        if port != 0 && port < self.first_free_port { Some(ListenerName::Port(port)) } else { None }
    }
}

impl Primary {
    pub(super) fn confined(&mut self, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.confined = true;
        }
    }
}
