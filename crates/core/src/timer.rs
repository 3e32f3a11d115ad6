//! All time-outs of one machine in one table.

use std::collections::{BTreeMap, BTreeSet};

use crate::Time;

/// Deadlines by name. Setting a name again moves its deadline, so no stale time-out can fire.
#[derive(Debug, Clone)]
pub struct TimerTable<K> {
    by_key: BTreeMap<K, Time>,
    queue: BTreeSet<(Time, K)>,
}

impl<K: Ord + Copy> Default for TimerTable<K> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), queue: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> TimerTable<K> {
    /// Lets `key` fire at `at`, wherever it stood before.
    pub fn set(&mut self, key: K, at: Time) {
        if let Some(old) = self.by_key.insert(key, at) {
            if old == at {
                return;
            }
            self.queue.remove(&(old, key));
        }
        self.queue.insert((at, key));
    }

    /// Lets `key` fire at `at` unless it is to fire already.
    pub fn set_if_unset(&mut self, key: K, at: Time) {
        if !self.by_key.contains_key(&key) {
            self.set(key, at);
        }
    }

    /// Lets `key` fire at `at`, unless it is to fire before that already.
    pub fn bring_forward(&mut self, key: K, at: Time) {
        if self.by_key.get(&key).is_none_or(|set| *set > at) {
            self.set(key, at);
        }
    }

    /// Whether `key` is to fire.
    #[must_use]
    pub fn is_set(&self, key: K) -> bool {
        self.by_key.contains_key(&key)
    }

    /// Forgets `key`. Says whether it was set.
    pub fn cancel(&mut self, key: K) -> bool {
        match self.by_key.remove(&key) {
            Some(at) => self.queue.remove(&(at, key)),
            None => false,
        }
    }

    /// The earliest deadline.
    #[must_use]
    pub fn next(&self) -> Option<Time> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes the earliest key whose deadline `now` has reached.
    pub fn pop_due(&mut self, now: Time) -> Option<K> {
        let (at, key) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.queue.pop_first();
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn a_deadline_that_was_moved_fires_once_at_its_new_place() {
        let mut timers = TimerTable::default();
        timers.set('a', at(10));
        timers.set('b', at(20));
        timers.set('a', at(30));
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(timers.pop_due(at(30)), Some('b'));
        assert_eq!(timers.pop_due(at(30)), Some('a'));
        assert_eq!(timers.pop_due(at(99)), None);
    }

    #[test]
    fn a_cancelled_deadline_never_fires() {
        let mut timers = TimerTable::default();
        timers.set('a', at(10));
        assert!(timers.cancel('a'));
        assert!(!timers.cancel('a'));
        assert_eq!(timers.next(), None);
    }
}
