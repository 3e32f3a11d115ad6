//! The task that watches one worker, and what it tells the driver.

use std::time::Duration;

use portcrew_core::WorkerId;
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::notify::{NotifySocket, Said};
use super::probe::Probe;
use crate::primary::command::Command;
use crate::{Probing, Ready};

/// The least time between two notifications of one worker that are passed on. Those that come faster wait in the
/// kernel, whose queue makes their sender wait.
const PASS_ON: Duration = Duration::from_millis(10);

/// What was found out about a worker.
#[derive(Debug)]
pub(in crate::primary) enum Sign {
    /// A probe that began then has come to its end.
    Probed { began: Instant, answered: bool },
    /// It has so many bytes of memory of its own.
    Memory(u64),
    /// It sent a notification.
    Notified(Said),
}

/// A task that ends with this.
#[derive(Debug)]
pub(in crate::primary) struct Watch(JoinHandle<()>);

impl Watch {
    /// Watches a worker: until it is ready, or, where `again` says how often, for as long as it lives. `None` where its own word on the channel, or its age, is all that counts.
    pub(in crate::primary) fn new(
        worker: WorkerId,
        ready: &Ready,
        pace: Probing,
        again: Option<Duration>,
        notify: Option<NotifySocket>,
        to: &WeakUnboundedSender<Command>,
    ) -> Option<Self> {
        let teller = Teller { worker, to: to.clone() };
        match (notify, Probe::of(ready)) {
            (Some(socket), _) => Some(Self(tokio::spawn(listen(socket, teller)))),
            (None, Some(probe)) => Some(Self(tokio::spawn(ask(probe, pace, again, teller)))),
            (None, None) => None,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The way to the driver. Weak: a watch keeps no driver alive.
struct Teller {
    worker: WorkerId,
    to: WeakUnboundedSender<Command>,
}

impl Teller {
    /// Says whether there is still somebody to tell.
    fn tell(&self, sign: Sign) -> bool {
        let command = Command::Sign { worker: self.worker, sign };
        self.to.upgrade().is_some_and(|to| to.send(command).is_ok())
    }
}

/// Asks until there is an answer, and then now and then.
async fn ask(probe: Probe, pace: Probing, again: Option<Duration>, teller: Teller) {
    loop {
        let began = Instant::now();
        if probe.is_answered(pace).await {
            teller.tell(Sign::Probed { began, answered: true });
            break;
        }
        sleep(pace.every).await;
    }
    let Some(again) = again else {
        return;
    };
    loop {
        sleep(again).await;
        let began = Instant::now();
        let answered = probe.is_answered(pace).await;
        if !teller.tell(Sign::Probed { began, answered }) {
            return;
        }
    }
}

/// Passes on what the worker notifies of, for as long as it lives.
async fn listen(socket: NotifySocket, teller: Teller) {
    while let Ok(said) = socket.next().await {
        if said == Said::default() {
            continue;
        }
        if !teller.tell(Sign::Notified(said)) {
            return;
        }
        sleep(PASS_ON).await;
    }
}
