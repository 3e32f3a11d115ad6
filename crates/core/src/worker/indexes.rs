//! The numbers that tell a worker's own questions for one address apart.
//!
//! A Node primary before 22.22 and 24.15 puts the number into every listener's key, so all workers of a crew have to
//! count alike: as Node's child counts.

use std::collections::BTreeMap;

use crate::Query;

/// For each address of which the worker holds a listener, or has asked for one: how many questions there were.
#[derive(Debug)]
pub(super) struct Indexes {
    by_name: BTreeMap<String, Counter>,
}

#[derive(Debug, Default)]
struct Counter {
    next: u32,
    open: u32,
}

impl Indexes {
    pub(super) const fn new() -> Self {
        Self { by_name: BTreeMap::new() }
    }

    /// The number of the next question. It grows until the last listener of this address is gone: a number
    /// that was freed is not given again before.
    pub(super) fn take(&mut self, query: &Query) -> u32 {
        let counter = self.by_name.entry(query.name()).or_default();
        counter.open += 1;
        let index = counter.next;
        counter.next = index.wrapping_add(1);
        index
    }

    /// The listener is gone, or never came. (Node forgets to count the latter, and one that is asked for again
    /// then has another key than that of the other workers.)
    pub(super) fn free(&mut self, query: &Query) {
        let name = query.name();
        let Some(counter) = self.by_name.get_mut(&name) else {
            return;
        };
        counter.open = counter.open.saturating_sub(1);
        if counter.open == 0 {
            self.by_name.remove(&name);
        }
    }
}
