//! Policies that do not do what they should.

use std::panic::{AssertUnwindSafe, catch_unwind};

use portcrew_core::scheduler::{Incoming, Needs, Pick, RoundRobin, Scheduler, WorkerView};

use super::Mutation;
use crate::sim::policy::Watched;

/// A policy with a fault of its own.
struct Broken<F> {
    right: Watched,
    pick: F,
}

impl<F> Scheduler for Broken<F>
where
    F: FnMut(&mut Watched, &Incoming, &[WorkerView]) -> Pick + Send,
{
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        (self.pick)(&mut self.right, incoming, workers)
    }

    fn needs(&self) -> Needs {
        self.right.needs()
    }

    fn name(&self) -> &'static str {
        self.right.name()
    }
}

/// The machine's scheduler, broken as this fault wants it.
pub(super) fn broken(mutation: Option<Mutation>, right: Watched) -> Box<dyn Scheduler> {
    match mutation {
        Some(Mutation::LazyScheduler) => lazy(right),
        Some(Mutation::NeverAsksAgain) => wait(right, |_, _| Pick::Wait),
        Some(Mutation::Impatient) => wait(right, |it, workers| RoundRobin.pick(it, workers)),
        Some(Mutation::MiscountsLive) => shown(right, |workers| {
            if let Some(live) = workers.first_mut().and_then(|it| it.live.as_mut()) {
                *live += 1;
            }
        }),
        Some(Mutation::Favourite) => shown(right, |workers| {
            for it in workers {
                (it.share, it.last_given, it.in_flight) = (0, 0, 0);
            }
        }),
        Some(Mutation::HidesPanic) => hides_panic(right),
        Some(_) | None => Box::new(right),
    }
}

/// Every third time it lets the connection wait.
fn lazy(right: Watched) -> Box<dyn Scheduler> {
    let mut calls = 0u32;
    let pick = move |right: &mut Watched, it: &Incoming, workers: &[WorkerView]| {
        calls += 1;
        if calls % 3 == 0 { Pick::Wait } else { right.pick(it, workers) }
    };
    Box::new(Broken { right, pick })
}

/// Does this in place of letting a connection wait for a time.
fn wait(right: Watched, instead: fn(&Incoming, &[WorkerView]) -> Pick) -> Box<dyn Scheduler> {
    let pick = move |right: &mut Watched, it: &Incoming, workers: &[WorkerView]| match right
        .pick(it, workers)
    {
        Pick::WaitAtMost(_) => instead(it, workers),
        other => other,
    };
    Box::new(Broken { right, pick })
}

/// Is shown something else than what is.
fn shown(right: Watched, change: fn(&mut [WorkerView])) -> Box<dyn Scheduler> {
    let pick = move |right: &mut Watched, it: &Incoming, workers: &[WorkerView]| {
        let mut workers = workers.to_vec();
        change(&mut workers);
        right.pick(it, &workers)
    };
    Box::new(Broken { right, pick })
}

fn hides_panic(right: Watched) -> Box<dyn Scheduler> {
    let pick = |right: &mut Watched, it: &Incoming, workers: &[WorkerView]| {
        catch_unwind(AssertUnwindSafe(|| right.pick(it, workers))).unwrap_or(Pick::Wait)
    };
    Box::new(Broken { right, pick })
}
