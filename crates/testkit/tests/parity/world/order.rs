//! Node's rules for the order of a worker's events, checked on every event of every Rust primary here.

use std::collections::BTreeMap;

use portcrew::{Event, WorkerId};

/// How far each worker is.
#[derive(Debug, Default)]
pub(crate) struct Order {
    workers: BTreeMap<WorkerId, Steps>,
    /// Every fork is set up first.
    setups: usize,
}

/// What was told of one worker.
#[derive(Clone, Copy, Debug, Default)]
struct Steps {
    fork: bool,
    online: bool,
    disconnect: bool,
    exit: bool,
}

impl Order {
    /// # Panics
    /// When the event may not come now; when some are missing.
    pub(crate) fn check(&mut self, event: &Event) {
        assert!(!matches!(event, Event::Lagged { .. }), "nothing is proven: {event:?}");
        self.setups += usize::from(matches!(event, Event::Setup { .. }));
        let Some(worker) = worker_of(event) else { return };
        let forks = self.workers.values().filter(|it| it.fork).count();
        let steps = self.workers.entry(worker).or_default();
        let before = *steps;
        let allowed = match event {
            Event::Fork { .. } => forks < self.setups && !std::mem::replace(&mut steps.fork, true),
            Event::Online { .. } => {
                before.fork && !before.disconnect && !std::mem::replace(&mut steps.online, true)
            }
            Event::Listening { .. } | Event::ListenFailed { .. } => {
                before.online && !before.disconnect
            }
            // What a process wrote before its end may be read after its exit is known, never after the channel's end.
            // `online` is a worker's first word.
            Event::Message { .. } | Event::Request { .. } => before.online && !before.disconnect,
            Event::Disconnect { .. } => {
                before.fork && !std::mem::replace(&mut steps.disconnect, true)
            }
            Event::Exit { .. } => before.fork && !std::mem::replace(&mut steps.exit, true),
            // Tells nothing about a worker's place in its life.
            _ => true,
        };
        assert!(allowed, "worker {worker}: {event:?} may not come after {before:?}");
    }
}

impl Order {
    /// Those that were started and have not exited, as far as was told.
    pub(super) fn running(&self) -> impl Iterator<Item = WorkerId> {
        self.workers.iter().filter(|(_, it)| it.fork && !it.exit).map(|(worker, _)| *worker)
    }
}

fn worker_of(event: &Event) -> Option<WorkerId> {
    match event {
        Event::Fork { worker, .. }
        | Event::Online { worker }
        | Event::Listening { worker, .. }
        | Event::ListenFailed { worker, .. }
        | Event::Message { worker, .. }
        | Event::Request { worker, .. }
        | Event::Disconnect { worker, .. }
        | Event::Exit { worker, .. } => Some(*worker),
        _ => None,
    }
}
