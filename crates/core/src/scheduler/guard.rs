//! A scheduler behind a guard: whatever it does, the primary goes on.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::{Incoming, Needs, Pick, RoundRobin, Scheduler, WorkerView};
use crate::WorkerId;

/// What a scheduler did that it must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It panicked, with these words. It is not asked again: what it remembers may be half changed.
    Panicked(String),
    /// It named a worker that does not hold the listener.
    NoSuchWorker(WorkerId),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(words) => write!(f, "it panicked: {words}"),
            Self::NoSuchWorker(worker) => {
                write!(f, "it chose worker {worker}, which does not have the listener")
            }
        }
    }
}

/// What is to be done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This worker is free and gets it.
    Give(WorkerId),
    /// It waits, no longer than this before the scheduler is asked again.
    Wait(Option<Duration>),
    /// It is closed.
    Refuse,
}

/// A scheduler, and how far it is trusted.
pub(crate) struct Guarded {
    scheduler: Contained,
    name: &'static str,
    needs: Needs,
    trust: Trust,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// It has done nothing wrong.
    Full,
    /// It has named a worker that is not there, which was reported: others like it are only counted.
    BadPickReported,
    /// It panicked. Kept, because to drop it would run its code.
    None,
}

/// Somebody else's code. Its panics end here, that of its own end too.
struct Contained(Option<Box<dyn Scheduler>>);

impl Guarded {
    pub(crate) fn new(scheduler: Box<dyn Scheduler>) -> Self {
        let mut scheduler = Contained(Some(scheduler));
        let asked = scheduler.run(|it| (it.name(), it.needs()));
        // One that panics here does it again when it has to choose, and is reported then.
        let (name, needs) = asked.unwrap_or(("custom", Needs::NONE));
        Self { scheduler, name, needs, trust: Trust::Full }
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self.trust {
            Trust::Full | Trust::BadPickReported => self.name,
            Trust::None => "round-robin",
        }
    }

    pub(crate) const fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Its choice, held against what is possible, and what it did wrong. `true` with a failure: for the first time.
    pub(crate) fn choose(
        &mut self,
        incoming: &Incoming,
        views: &[WorkerView],
    ) -> (Choice, Option<(Failure, bool)>) {
        if self.trust == Trust::None {
            return (instead(incoming, views), None);
        }
        let pick = match self.scheduler.run(|it| it.pick(incoming, views)) {
            Ok(pick) => pick,
            Err(words) => {
                self.trust = Trust::None;
                let failure = Failure::Panicked(words);
                return (instead(incoming, views), Some((failure, true)));
            }
        };
        match choice(pick, views) {
            Ok(choice) => (choice, None),
            Err(worker) => {
                let first = self.trust == Trust::Full;
                self.trust = Trust::BadPickReported;
                (instead(incoming, views), Some((Failure::NoSuchWorker(worker), first)))
            }
        }
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl Contained {
    fn run<T>(&mut self, act: impl FnOnce(&mut dyn Scheduler) -> T) -> Result<T, String> {
        let scheduler = self.0.as_mut().expect("it is there until it is dropped");
        contained(|| act(&mut **scheduler))
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        let scheduler = self.0.take();
        // It was replaced, or the primary ends: nobody is left who would be told.
        let _ = contained(|| drop(scheduler));
    }
}

/// Runs it to its end or to its panic, of which the words are left.
fn contained<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic| {
        let words = words_of(&*panic);
        // What it threw is its own, too, and may panic as it is dropped. What that throws is left alone.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(panic);
        }
        words
    })
}

fn choice(pick: Pick, views: &[WorkerView]) -> Result<Choice, WorkerId> {
    Ok(match pick {
        Pick::Worker(worker) => match views.iter().find(|view| view.worker == worker) {
            Some(view) if view.is_free() => Choice::Give(worker),
            Some(_) => Choice::Wait(None),
            None => return Err(worker),
        },
        Pick::Wait => Choice::Wait(None),
        Pick::WaitAtMost(time) => Choice::Wait(Some(time)),
        Pick::Refuse => Choice::Refuse,
    })
}

/// What is done in place of a scheduler that failed.
fn instead(incoming: &Incoming, views: &[WorkerView]) -> Choice {
    choice(RoundRobin.pick(incoming, views), views).unwrap_or(Choice::Wait(None))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ListenerId;

    const INCOMING: Incoming = Incoming::new(ListenerId(0));

    fn guarded(pick: impl FnMut(&Incoming, &[WorkerView]) -> Pick + Send + 'static) -> Guarded {
        Guarded::new(Box::new(pick))
    }

    #[test]
    fn a_scheduler_that_panics_is_reported_once_and_never_asked_again() {
        let mut calls = 0;
        let mut it = guarded(move |_: &Incoming, _: &[WorkerView]| {
            calls += 1;
            assert!(calls == 1, "asked again");
            panic!("out of {}", "luck");
        });
        let views = [WorkerView::new(WorkerId(1), 1)];
        let (choice, failure) = it.choose(&INCOMING, &views);
        assert_eq!(choice, Choice::Give(WorkerId(1)));
        assert_eq!(failure, Some((Failure::Panicked("out of luck".into()), true)));
        assert_eq!(it.choose(&INCOMING, &views), (Choice::Give(WorkerId(1)), None));
        assert_eq!(it.name(), "round-robin");
    }

    /// Panics as it is dropped. Told so, no hook prints it.
    struct Undroppable;

    impl Drop for Undroppable {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("not yet"));
        }
    }

    #[test]
    fn a_scheduler_that_panics_as_it_is_dropped_is_gone_all_the_same() {
        let inside = Undroppable;
        let it = guarded(move |_: &Incoming, _: &[WorkerView]| {
            let _ = &inside;
            Pick::Wait
        });
        drop(it);
    }

    #[test]
    fn what_a_scheduler_throws_may_panic_as_it_is_dropped() {
        let mut it = guarded(|_: &Incoming, _: &[WorkerView]| {
            std::panic::resume_unwind(Box::new(Undroppable))
        });
        let views = [WorkerView::new(WorkerId(1), 1)];
        let (choice, failure) = it.choose(&INCOMING, &views);
        assert_eq!(choice, Choice::Give(WorkerId(1)));
        assert_eq!(failure, Some((Failure::Panicked("without words".into()), true)));
    }

    #[test]
    fn a_worker_that_is_not_there_counts_each_time_and_is_news_once() {
        let mut it = guarded(|_: &Incoming, _: &[WorkerView]| Pick::Worker(WorkerId(9)));
        let views = [WorkerView::new(WorkerId(1), 1)];
        for first in [true, false] {
            let (choice, failure) = it.choose(&INCOMING, &views);
            assert_eq!(choice, Choice::Give(WorkerId(1)));
            assert_eq!(failure, Some((Failure::NoSuchWorker(WorkerId(9)), first)));
        }
    }

    #[test]
    fn a_busy_worker_is_waited_for() {
        let mut it = guarded(|_: &Incoming, _: &[WorkerView]| Pick::Worker(WorkerId(1)));
        let mut views = [WorkerView::new(WorkerId(1), 1)];
        views[0].in_flight = 1;
        assert_eq!(it.choose(&INCOMING, &views), (Choice::Wait(None), None));
    }
}
