//! Descriptors that are kept for what must go on when no other is left: new workers, the refusal of connections, and
//! whoever steers the crew.
//!
//! They mean nothing and are closed when one is needed, which makes their numbers free. No connection is accepted while
//! the reserve has holes: so connections cannot use it up, whatever the limit is and whenever it is lowered.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::primary::AcceptFailure;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::net::accept;

/// Descriptors that are kept: a worker's start takes up to twelve for a moment. Where the limit is low, half of it.
const KEPT: u64 = 16;

/// A primary's descriptors for when there are no others: see [`Cluster::reserve`](crate::Cluster::reserve).
///
/// A primary is at its limit when clients hold more connections than it may. It then rests and goes on to supervise its
/// workers, for it has kept a few descriptors for that. Your own program in the same process can use them too: when
/// something fails with EMFILE or ENFILE, [`lend`](Self::lend) some, and try it again at once.
///
/// ```
/// # async fn serve(cluster: &portcrew::Cluster, steering: tokio::net::UnixListener) -> std::io::Result<()> {
/// let reserve = cluster.reserve();
/// let mut loan = None;
/// let (stream, _) = loop {
///     match steering.accept().await {
///         Err(_) if loan.is_none() => loan = Some(reserve.lend(1)),
///         accepted => break accepted?,
///     }
/// };
/// // … serve it; then close it before what was lent for it is given back.
/// drop(stream);
/// drop(loan);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Reserve {
    shared: Arc<Mutex<Spares>>,
}

/// Descriptors that were closed for somebody. They are opened again when this is dropped, as far as there is room: close
/// first what you have opened in their place.
#[derive(Debug)]
#[must_use = "what is lent is given back at once"]
pub struct Loan {
    reserve: Reserve,
    count: usize,
}

#[derive(Debug)]
struct Spares {
    /// By number: under a limit that was lowered only the low ones are of use.
    kept: BTreeMap<RawFd, OwnedFd>,
    lent: usize,
    /// How many there are to be.
    size: usize,
}

impl Reserve {
    /// One that is as full as the limit allows.
    pub(super) fn new() -> Self {
        let mut spares = Spares { kept: BTreeMap::new(), lent: 0, size: size() };
        spares.refill();
        Self { shared: Arc::new(Mutex::new(spares)) }
    }

    /// Closes so many, or as many as there are.
    pub fn lend(&self, count: usize) -> Loan {
        let mut spares = self.lock();
        let count = count.min(spares.kept.len());
        for _ in 0..count {
            spares.kept.pop_first();
        }
        spares.lent += count;
        Loan { reserve: self.clone(), count }
    }

    /// Closes all that are left.
    pub(super) fn lend_all(&self) -> Loan {
        self.lend(usize::MAX)
    }

    /// Whether nothing is missing that is not lent. What is missing is opened, where there is room by now.
    pub(super) fn is_whole(&self) -> bool {
        let mut spares = self.lock();
        let is_less_than_usual = (spares.size as u64) < KEPT;
        (spares.missing() == 0 && !is_less_than_usual) || spares.refill()
    }

    fn lock(&self) -> MutexGuard<'_, Spares> {
        // Nothing in this file panics while it holds the lock.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Loan {
    /// How many were lent.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut spares = self.reserve.lock();
        spares.lent -= self.count;
        spares.refill();
    }
}

impl Spares {
    fn missing(&self) -> usize {
        self.size.saturating_sub(self.kept.len() + self.lent)
    }

    /// Opens what is missing under the present limit. Whether nothing is any more.
    fn refill(&mut self) -> bool {
        self.size = size();
        while self.missing() > 0 {
            // It needs no file that there may not be, nor memory, and can be used for nothing.
            match open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
                Ok(spare) => drop(self.kept.insert(spare.as_raw_fd(), spare)),
                Err(_) => break,
            }
        }
        self.missing() == 0
    }
}

/// How many are kept under the present limit.
fn size() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(KEPT.min(limit / 2)).unwrap_or(usize::MAX)
}

/// What accepting comes to while the reserve has holes.
pub(super) fn refuse(_listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Option<SocketAddr>)> {
    Err(Errno::MFILE.into())
}

/// Whether something failed because no descriptor was left.
pub(super) fn is_want(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |it| it.source())
        .filter_map(|it| it.downcast_ref::<io::Error>())
        .any(|it| accept::classify(it) == Some(AcceptFailure::Descriptors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_is_closed_and_comes_back() {
        let reserve = Reserve::new();
        let kept = |it: &Reserve| it.lock().kept.keys().copied().collect::<Vec<_>>();
        let before = kept(&reserve);
        assert_eq!(before.len(), 16);
        let loan = reserve.lend(2);
        assert_eq!((loan.count(), kept(&reserve)), (2, before[2..].to_vec()), "the lowest");
        assert!(reserve.is_whole(), "what is lent is not missing");
        let rest = reserve.lend_all();
        assert_eq!((rest.count(), reserve.lend(1).count()), (14, 0));
        drop((loan, rest));
        assert_eq!(kept(&reserve).len(), 16);
    }

    #[test]
    fn a_hole_is_filled_when_somebody_asks() {
        let reserve = Reserve::new();
        reserve.lock().kept.pop_last();
        assert!(reserve.lock().missing() == 1 && reserve.is_whole());
        assert_eq!(reserve.lock().missing(), 0);
    }

    #[test]
    fn want_is_seen_through_every_wrapping() {
        let bare = io::Error::from(Errno::MFILE);
        let wrapped = crate::Error::Io { doing: "x", source: io::Error::from(Errno::NFILE) };
        assert!(is_want(&bare) && is_want(&wrapped));
        assert!(!is_want(&io::Error::from(Errno::AGAIN)) && !is_want(&io::Error::other("x")));
    }
}
