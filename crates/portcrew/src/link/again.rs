//! Trying again a little later, where nothing announces when it will succeed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

/// How long to wait when the kernel lacks memory or descriptors in flight, for somebody to give some back.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// One attempt that is due soon.
#[derive(Debug, Default)]
pub(crate) struct Again {
    is_due: Arc<AtomicBool>,
}

impl Again {
    /// Has `waker` woken a moment later, unless that is on its way already.
    pub(crate) fn soon(&self, waker: &Waker) {
        if self.is_due.swap(true, Ordering::AcqRel) {
            return;
        }
        let (is_due, later) = (Arc::clone(&self.is_due), waker.clone());
        // A thread, because the user's runtime may have no clock.
        let thread = std::thread::Builder::new().name("portcrew-again".to_owned());
        let started = thread.spawn(move || {
            std::thread::sleep(TRY_AGAIN);
            is_due.store(false, Ordering::Release);
            later.wake();
        });
        if started.is_err() {
            // The system lacks everything: ask it as often as the runtime comes round.
            self.is_due.store(false, Ordering::Release);
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;

    struct Tell(Sender<()>);

    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            self.0.send(()).unwrap();
        }
    }

    #[test]
    fn each_attempt_is_announced_once() {
        let (sender, woken) = channel();
        let waker = Waker::from(Arc::new(Tell(sender)));
        let again = Again::default();
        for _ in 0..2 {
            again.soon(&waker);
            woken.recv().unwrap();
        }
        drop((again, waker));
        // Whoever could wake once more is gone.
        assert!(woken.recv().is_err());
    }
}
