//! Resource limits of a program, in the system's own units.

use std::io;

use serde::{Deserialize, Serialize};

/// One resource limit. `None` means unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// What is limited.
    pub resource: Resource,
    /// What the program meets. It may raise this one up to [`hard`](Self::hard).
    pub soft: Option<u64>,
    /// What the program cannot go beyond. Raising it needs privileges.
    pub hard: Option<u64>,
}

/// What a [`Limit`] limits, and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Resource {
    /// Virtual memory, in bytes.
    AddressSpace,
    /// Size of a core file, in bytes.
    CoreFile,
    /// Processor time, in seconds.
    CpuTime,
    /// Size of a file that is written, in bytes.
    FileSize,
    /// Memory that may be locked, in bytes.
    LockedMemory,
    /// Open descriptors, as a count (the first number that cannot be opened).
    OpenFiles,
    /// Processes and threads of the user, as a count.
    Processes,
    /// Size of the main thread's stack, in bytes.
    Stack,
}

impl Limit {
    /// The same soft and hard limit.
    #[must_use]
    pub fn both(resource: Resource, value: u64) -> Self {
        Self { resource, soft: Some(value), hard: Some(value) }
    }

    pub(super) fn apply(self) -> io::Result<()> {
        let limit = rustix::process::Rlimit { current: self.soft, maximum: self.hard };
        Ok(rustix::process::setrlimit(self.resource.system(), limit)?)
    }
}

impl Resource {
    fn system(self) -> rustix::process::Resource {
        match self {
            Self::AddressSpace => rustix::process::Resource::As,
            Self::CoreFile => rustix::process::Resource::Core,
            Self::CpuTime => rustix::process::Resource::Cpu,
            Self::FileSize => rustix::process::Resource::Fsize,
            Self::LockedMemory => rustix::process::Resource::Memlock,
            Self::OpenFiles => rustix::process::Resource::Nofile,
            Self::Processes => rustix::process::Resource::Nproc,
            Self::Stack => rustix::process::Resource::Stack,
        }
    }
}
