//! Whoever has started this process, as the crew's loop sees it. What fails towards it is said once and harms nothing.

use std::fmt;
use std::io;

use portcrew::{Event, Ready, Signal, reap_strangers};

use super::init::{Init, Order};
use super::systemd::{Systemd, Variables};
use crate::output::Report;
use crate::output::words::upward as words;

/// The service manager above, and the duties of process 1; either may be missing.
#[derive(Debug)]
pub(crate) struct Above<'a> {
    report: &'a Report,
    systemd: Option<Systemd>,
    init: Option<Init>,
}

/// What the loop is to do for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A sign of life is due: to be given once everything that the loop needs has answered.
    LifeSign,
    /// Stop the crew.
    Stop,
    /// Send every worker this signal.
    Forward(Signal),
}

impl<'a> Above<'a> {
    /// In a runtime. `wanted` workers that are `ready` in this way make the crew so; `asked` is for the duties of
    /// process 1 where it is another.
    pub(crate) fn new(report: &'a Report, wanted: usize, ready: &Ready, asked: bool) -> Self {
        let mut above = Self { report, systemd: None, init: None };
        above.systemd = above.have(Systemd::of(&Variables::read(), wanted, ready), words::unheard);
        above.init = above.have(Init::begin(asked), words::no_init);
        above
    }

    pub(crate) fn hear(&mut self, event: &Event) {
        self.tell(|it| it.hear(event));
    }

    /// The crew is about to end.
    pub(crate) fn stopping(&mut self) {
        self.tell(Systemd::stopping);
    }

    /// The loop turns.
    pub(crate) fn alive(&mut self) {
        self.tell(Systemd::alive);
    }

    /// Waits until there is something for the loop to do. Cancel safe.
    pub(crate) async fn turn(&mut self) -> Turn {
        loop {
            let (systemd, init) = (self.systemd.as_mut(), self.init.as_mut());
            tokio::select! {
                due = life_sign(systemd) => match due {
                    Ok(()) => return Turn::LifeSign,
                    Err(error) => self.lost(&error),
                },
                order = order(init) => match order {
                    Order::Stop => return Turn::Stop,
                    Order::Forward(signal) => return Turn::Forward(signal),
                    Order::ChildEnded => self.reap(),
                },
            }
        }
    }

    fn reap(&mut self) {
        if let Err(error) = reap_strangers() {
            // Without /proc there is no other way either.
            self.init = None;
            self.report.notice(&words::no_init(&error));
        }
    }

    fn tell(&mut self, what: impl FnOnce(&mut Systemd) -> io::Result<()>) {
        if let Some(Err(error)) = self.systemd.as_mut().map(what) {
            self.lost(&error);
        }
    }

    fn lost(&mut self, error: &io::Error) {
        self.systemd = None;
        self.report.notice(&words::unheard(error));
    }

    fn have<T>(
        &self,
        it: io::Result<Option<T>>,
        words: fn(&dyn fmt::Display) -> String,
    ) -> Option<T> {
        it.unwrap_or_else(|error| {
            self.report.notice(&words(&error));
            None
        })
    }
}

async fn life_sign(systemd: Option<&mut Systemd>) -> io::Result<()> {
    match systemd {
        Some(systemd) => systemd.turn().await,
        None => std::future::pending().await,
    }
}

async fn order(init: Option<&mut Init>) -> Order {
    match init {
        Some(init) => init.next().await,
        None => std::future::pending().await,
    }
}
