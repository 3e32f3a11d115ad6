//! The connections that came from the other end and that it counts: Node's `NODE_SOCKET_…` as the receiver.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How often the other end may ask about one key and wait at the same time. It needs one.
const WISHES: u32 = 1024;

/// How many of these may be open for all keys together, granted ones that are not written among them: the other end
/// need not read.
const ALL_WISHES: usize = 65_536;

/// What is held, by the sender's name for the server. A key has an entry only while a connection lives.
#[derive(Debug, Default)]
pub(super) struct Held {
    keys: HashMap<Arc<str>, Entry>,
    /// The sender waits to hear that none is left of these, and none is.
    empty: VecDeque<Arc<str>>,
    /// All wishes that are open, those of `empty` among them.
    wishes: usize,
}

#[derive(Debug, Default)]
struct Entry {
    open: usize,
    /// How often the sender wishes to be told when none is open.
    wishes: u32,
}

/// What is done about a wish to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// None is held: say so now.
    None,
    /// It is noted.
    Later,
    /// It wishes too much.
    TooMany,
}

impl Held {
    pub(super) fn add(&mut self, key: &Arc<str>) {
        self.keys.entry(Arc::clone(key)).or_default().open += 1;
    }

    /// One of them is closed. True when somebody has to be told.
    pub(super) fn remove(&mut self, key: &Arc<str>) -> bool {
        let Some(entry) = self.keys.get_mut(key) else {
            return false;
        };
        entry.open -= 1;
        if entry.open > 0 {
            return false;
        }
        let wishes = entry.wishes as usize;
        self.keys.remove(key);
        self.empty.extend(std::iter::repeat_n(Arc::clone(key), wishes));
        wishes > 0
    }

    pub(super) fn count(&self, key: &str) -> usize {
        self.keys.get(key).map_or(0, |entry| entry.open)
    }

    /// The sender wants to be told when none is left.
    pub(super) fn wish(&mut self, key: &str) -> Wish {
        match self.keys.get_mut(key) {
            None => Wish::None,
            Some(entry) if entry.wishes >= WISHES || self.wishes >= ALL_WISHES => Wish::TooMany,
            Some(entry) => {
                entry.wishes += 1;
                self.wishes += 1;
                Wish::Later
            }
        }
    }

    /// The next key of which the sender has to be told that none is left.
    pub(super) fn next_empty(&mut self) -> Option<Arc<str>> {
        let key = self.empty.pop_front()?;
        self.wishes -= 1;
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wish_is_granted_once_when_the_last_connection_is_closed() {
        let (mut held, key) = (Held::default(), Arc::from("k"));
        assert_eq!((held.count("k"), held.wish("k")), (0, Wish::None));
        held.add(&key);
        held.add(&key);
        assert_eq!((held.wish("k"), held.wish("k")), (Wish::Later, Wish::Later));
        assert_eq!((held.count("k"), held.count("other")), (2, 0));
        assert!(!held.remove(&key) && held.next_empty().is_none());
        assert!(held.remove(&key));
        assert_eq!((held.next_empty(), held.next_empty()), (Some(key.clone()), Some(key)));
        assert_eq!((held.next_empty(), held.count("k")), (None, 0));
        assert!(held.keys.is_empty());
    }

    #[test]
    fn a_connection_that_comes_after_the_wish_is_waited_for_too() {
        let (mut held, key) = (Held::default(), Arc::from("k"));
        held.add(&key);
        held.wish("k");
        held.add(&key);
        assert!(!held.remove(&key));
        assert!(held.remove(&key));
    }

    #[test]
    fn wishes_about_ever_new_keys_are_refused_until_they_are_granted() {
        let mut held = Held::default();
        let keys = ALL_WISHES / WISHES as usize;
        for number in 0..keys {
            let key: Arc<str> = number.to_string().into();
            held.add(&key);
            for _ in 0..WISHES {
                assert_eq!(held.wish(&key), Wish::Later);
            }
            assert!(held.remove(&key));
        }
        let key = Arc::from("one more");
        held.add(&key);
        assert_eq!(held.wish(&key), Wish::TooMany, "granted, but nobody reads that");
        held.next_empty().unwrap();
        assert_eq!(held.wish(&key), Wish::Later);
    }

    #[test]
    fn wishes_without_end_are_refused() {
        let (mut held, key) = (Held::default(), Arc::from("k"));
        held.add(&key);
        for _ in 0..WISHES {
            assert_eq!(held.wish("k"), Wish::Later);
        }
        assert_eq!(held.wish("k"), Wish::TooMany);
    }
}
