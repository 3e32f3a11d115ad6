//! Wakes a driver from any thread.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// Rung by whoever has put something on one of the driver's lists.
///
/// The driver first hangs its waker here and looks at the lists after, so a ring is never missed.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    waker: Mutex<Option<Waker>>,
}

impl Bell {
    /// Wakes the driver, once until it has looked.
    pub(crate) fn ring(&self) {
        let waker = self.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The driver begins to look.
    pub(crate) fn hang(&self, waker: &Waker) {
        let mut slot = self.lock();
        if !slot.as_ref().is_some_and(|it| it.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waker>> {
        // Nothing panics while it holds this lock.
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
