//! How far a worker's life has come, for everybody who waits for it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

/// The stages, in order. No way leads back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Life {
    /// It serves.
    Serving,
    /// It was told to leave or wants to, and its listeners are being closed. Whoever is in the middle of
    /// accepting goes first.
    Leaving,
    /// Its listeners are closed, it finishes what it has, and the user knows it.
    Draining,
    /// Its channel is closed.
    Disconnected,
}

/// The driver's and the handles' common knowledge of it.
#[derive(Debug)]
pub(crate) struct LifeCell {
    sender: watch::Sender<Life>,
}

impl Default for LifeCell {
    fn default() -> Self {
        Self { sender: watch::Sender::new(Life::Serving) }
    }
}

impl LifeCell {
    pub(crate) fn get(&self) -> Life {
        *self.sender.borrow()
    }

    /// Goes on to `life`; never back.
    pub(crate) fn advance(&self, life: Life) {
        self.sender.send_if_modified(|now| {
            let goes_on = *now < life;
            if goes_on {
                *now = life;
            }
            goes_on
        });
    }

    /// Resolves once that stage is reached.
    pub(crate) fn reached(&self, life: Life) -> Draining {
        Draining { life, watch: self.sender.subscribe(), wait: None }
    }
}

/// Resolves when a worker has to finish; see [`Worker::draining`](crate::Worker::draining).
///
/// Owned, so that it can be given to a server as its shutdown signal; every clone resolves. Once resolved
/// it resolves again at once.
#[must_use = "futures do nothing unless polled"]
pub struct Draining {
    life: Life,
    watch: watch::Receiver<Life>,
    wait: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
}

impl Draining {
    /// Whether it has come to that.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        *self.watch.borrow() >= self.life
    }
}

impl Future for Draining {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The value can be there a moment before its waiters are woken; all who look must see the same.
        if self.is_resolved() {
            return Poll::Ready(());
        }
        let Self { life, watch, wait } = &mut *self;
        let wait = wait.get_or_insert_with(|| {
            let (life, mut watch) = (*life, watch.clone());
            Box::pin(async move {
                // A sender that is gone means a worker that is gone.
                let _ = watch.wait_for(|now| *now >= life).await;
            })
        });
        std::task::ready!(wait.as_mut().poll(cx));
        self.wait = None;
        Poll::Ready(())
    }
}

impl Clone for Draining {
    fn clone(&self) -> Self {
        Self { life: self.life, watch: self.watch.clone(), wait: None }
    }
}

impl fmt::Debug for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draining").field("resolved", &self.is_resolved()).finish_non_exhaustive()
    }
}
