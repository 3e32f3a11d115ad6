//! The connections that were sent to the other end under a key: Node's `NODE_SOCKET_…` as the sender.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use portcrew_ipc::message::Packet;
use tokio::sync::oneshot;

use crate::{Error, Result};

/// Questions about one key that may wait for their answers. Beyond it `Error::QueueFull`.
const QUESTIONS: usize = 1024;

/// The keys under which connections arrived there, and who waits for word about them.
///
/// A Node process knows a key only once a connection has come under it, and answers nothing about others; so
/// those are not asked about.
#[derive(Debug, Default)]
pub(super) struct Lent {
    keys: HashMap<Arc<str>, Entry>,
}

/// Answers carry no number: they come in the order of the questions. Whoever has stopped waiting keeps the
/// place, so that no answer reaches the wrong one.
#[derive(Debug, Default)]
struct Entry {
    counts: VecDeque<oneshot::Sender<Result<usize>>>,
    closes: VecDeque<oneshot::Sender<Result<()>>>,
    /// One has arrived there since the last wish was written: word that all are closed may be older than it.
    renewed: bool,
}

impl Lent {
    /// A connection has arrived there under this key, or may have.
    pub(super) fn lend(&mut self, key: &str) {
        match self.keys.get_mut(key) {
            Some(entry) => entry.renewed = true,
            None => drop(self.keys.insert(key.into(), Entry::default())),
        }
    }

    /// Whether a connection may live there under this key.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The question to write, if there is anything to ask about.
    pub(super) fn count(
        &mut self,
        key: &str,
        answer: oneshot::Sender<Result<usize>>,
    ) -> Option<Packet> {
        let waiting = self.keys.get_mut(key).map(|entry| &mut entry.counts);
        wait(waiting, answer, 0).then(|| Packet::SocketGetCount { key: key.to_owned() })
    }

    /// The wish to write, if there is anything to wait for.
    pub(super) fn close(
        &mut self,
        key: &str,
        answer: oneshot::Sender<Result<()>>,
    ) -> Option<Packet> {
        let waiting = self.keys.get_mut(key).map(|entry| {
            entry.renewed = false;
            &mut entry.closes
        });
        wait(waiting, answer, ()).then(|| Packet::SocketNotifyClose { key: key.to_owned() })
    }

    /// The other end says how many it holds.
    pub(super) fn counted(&mut self, key: &str, count: u64) {
        // What nobody asked for is ignored, as in Node.
        if let Some(answer) = self.keys.get_mut(key).and_then(|it| it.counts.pop_front()) {
            let _ = answer.send(Ok(usize::try_from(count).unwrap_or(usize::MAX)));
        }
    }

    /// The other end says that it holds none any more. True when nothing more is known of the key.
    pub(super) fn all_closed(&mut self, key: &str) -> bool {
        let Some(entry) = self.keys.get_mut(key) else {
            return false;
        };
        let Some(answer) = entry.closes.pop_front() else {
            return false;
        };
        let _ = answer.send(Ok(()));
        // What arrives from now on lends it anew.
        let is_over = entry.closes.is_empty() && entry.counts.is_empty() && !entry.renewed;
        if is_over {
            self.keys.remove(key);
        }
        is_over
    }
}

/// Takes a place among those who wait. False when it is answered already.
fn wait<T>(
    waiting: Option<&mut VecDeque<oneshot::Sender<Result<T>>>>,
    answer: oneshot::Sender<Result<T>>,
    nothing: T,
) -> bool {
    // Whoever asked may have gone meanwhile.
    let _ = match waiting {
        None => answer.send(Ok(nothing)),
        Some(waiting) if waiting.len() >= QUESTIONS => answer.send(Err(Error::QueueFull)),
        Some(waiting) => {
            waiting.push_back(answer);
            return true;
        }
    };
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_about_a_key_under_which_nothing_arrived() {
        let mut lent = Lent::default();
        let (answer, mut count) = oneshot::channel();
        assert!(lent.count("k", answer).is_none());
        assert!(matches!(count.try_recv(), Ok(Ok(0))));
        let (answer, mut closed) = oneshot::channel();
        assert!(lent.close("k", answer).is_none());
        assert!(matches!(closed.try_recv(), Ok(Ok(()))));
    }

    #[test]
    fn an_answer_reaches_the_one_whose_question_it_answers() {
        let mut lent = Lent::default();
        lent.lend("k");
        let (answer, given_up) = oneshot::channel();
        assert!(lent.count("k", answer).is_some());
        drop(given_up);
        let (answer, mut second) = oneshot::channel();
        lent.count("k", answer);
        lent.counted("k", 7);
        assert!(second.try_recv().is_err());
        lent.counted("k", 8);
        assert!(matches!(second.try_recv(), Ok(Ok(8))));
        lent.counted("k", 9);
        lent.counted("other", 9);
    }

    #[test]
    fn a_key_is_forgotten_when_all_are_closed_and_nobody_waits() {
        let mut lent = Lent::default();
        lent.lend("k");
        assert!(!lent.all_closed("k"), "nobody wished to hear it");
        let (first, mut told) = oneshot::channel();
        let (second, mut later) = oneshot::channel();
        lent.close("k", first);
        lent.close("k", second);
        assert!(!lent.all_closed("k"));
        assert!(matches!(told.try_recv(), Ok(Ok(()))) && later.try_recv().is_err());
        assert!(lent.all_closed("k"));
        assert!(matches!(later.try_recv(), Ok(Ok(()))));
        assert!(lent.keys.is_empty());
    }

    #[test]
    fn questions_without_answers_come_to_an_end() {
        let mut lent = Lent::default();
        lent.lend("k");
        for _ in 0..QUESTIONS {
            assert!(lent.count("k", oneshot::channel().0).is_some());
        }
        let (answer, mut count) = oneshot::channel();
        assert!(lent.count("k", answer).is_none());
        assert!(matches!(count.try_recv(), Ok(Err(Error::QueueFull))));
    }
}
