//! What a primary has open and how large it is, at one moment at rest.

use std::time::Duration;

use portcrew_testkit::process::{at_last, proc_fs};
use serde::Serialize;

use crate::Failure;

/// How long a primary may take to close what the last worker has left.
const RESTS_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Level {
    pub(crate) descriptors: usize,
    pub(crate) rss_kib: u64,
    /// Children that have ended and whose status nobody has taken.
    pub(crate) zombies: usize,
    pub(crate) children: usize,
}

/// From one moment to another.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Growth {
    pub(crate) before: Level,
    pub(crate) after: Level,
}

impl Level {
    pub(crate) fn of(pid: u32) -> Result<Self, Failure> {
        let children = proc_fs::children(pid)?;
        let zombies =
            children.iter().filter(|child| proc_fs::state(**child).is_ok_and(|it| it == 'Z'));
        let zombies = zombies.count();
        let rss_kib = proc_fs::memory(pid)?.rss >> 10;
        Ok(Self {
            descriptors: proc_fs::fd_count(pid)?,
            rss_kib,
            zombies,
            children: children.len(),
        })
    }

    /// The same primary once it is as it was; or as it is when that does not come.
    pub(crate) fn again(self, pid: u32) -> Result<Growth, Failure> {
        let is_level = |it: &Result<Growth, Failure>| it.as_ref().map_or(true, Growth::is_level);
        at_last(RESTS_WITHIN, is_level, || Ok(Growth { before: self, after: Self::of(pid)? }))
    }
}

impl Growth {
    fn is_level(&self) -> bool {
        self.descriptors() == 0
            && self.after.zombies == 0
            && self.after.children == self.before.children
    }

    pub(crate) fn descriptors(&self) -> i64 {
        difference(self.before.descriptors as u64, self.after.descriptors as u64)
    }

    pub(crate) fn rss_kib(&self) -> i64 {
        difference(self.before.rss_kib, self.after.rss_kib)
    }
}

fn difference(before: u64, after: u64) -> i64 {
    let signed = |it| i64::try_from(it).unwrap_or(i64::MAX);
    signed(after) - signed(before)
}
