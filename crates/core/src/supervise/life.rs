//! The life of one worker, from the request for a process to its end.

use std::time::Duration;

use super::{Generation, Reason, Settings, SlotId, Ticket, Worn};
use crate::{Errno, Time, WorkerId};

/// A process that was asked for and that the shell has not answered for yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) wish: Wish,
}

/// What is to become of a process that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// It is awaited.
    Keep,
    /// It is not needed any more: told to leave as soon as it is there.
    End,
    /// It is killed as soon as it is there.
    Kill,
}

/// A process that runs, or was not reaped yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worker {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) started: Time,
    pub(super) life: Life,
    /// It has said its first word: a channel reaches it. What is ready need not speak.
    pub(super) speaks: bool,
    /// In a row, since it was ready.
    pub(super) failed_probes: u32,
    pub(super) beat: Beat,
    /// When it last answered that question.
    pub(super) turned: Time,
    pub(super) doubt: Doubt,
    /// Why it is to be replaced when its turn comes.
    pub(super) worn: Option<Worn>,
    /// What it was last told when it wanted to listen, if it was not ready by then.
    pub(super) listen_failed: Option<Errno>,
}

/// How far a worker's life has come. There is no way back, and no state for the dead: what was reaped is
/// forgotten, so nothing can signal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It runs and its slot counts on it.
    Up(Progress),
    /// It closed its channel unasked. Its end is expected, and its status will say why.
    Cut(Progress),
    /// It is to end; no slot counts on it any more.
    Ending(Step),
}

/// What a running worker has shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nothing.
    Silent,
    /// It speaks.
    Online,
    /// It has served since then.
    Ready(Time),
}

/// Where a worker stands with the question whether its runtime turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// It does not understand it.
    Deaf,
    /// It has answered, or was never asked.
    Heard,
    /// It was asked and has not answered yet.
    Asked,
}

/// Whether a worker is taken for one that hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// It is not.
    None,
    /// It is, for this reason, and it is being found out what it is doing. It was found to be traced before, and that
    /// was said.
    Examined { reason: Reason, again: bool },
    /// It is, and somebody debugs it: found then.
    Excused(Time),
}

/// The steps by which a worker is ended, each with its wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It was told to leave and finishes its connections.
    Draining,
    /// It had SIGTERM.
    Terminated,
    /// It had SIGKILL; only the kernel stands between it and its end.
    Killed,
}

/// Whatever a slot or a reload counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupant {
    /// A process that was asked for.
    Asked(Ticket),
    /// A worker.
    Held(WorkerId),
}

/// What a life was worth when it was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// It never served and did not last: the start failed.
    NeverStarted,
    /// It served, for less than the stable time.
    ServedBriefly,
    /// It lasted.
    Proven,
}

impl Worker {
    pub(super) const fn spawned(slot: SlotId, generation: Generation, now: Time) -> Self {
        Self {
            slot,
            generation,
            started: now,
            life: Life::Up(Progress::Silent),
            speaks: false,
            failed_probes: 0,
            beat: Beat::Deaf,
            turned: now,
            doubt: Doubt::None,
            worn: None,
            listen_failed: None,
        }
    }

    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.life, Life::Up(Progress::Ready(_)))
    }

    /// Why it closed its channel: a program that got no listener has no more to do, and many say farewell
    /// before they end with the error.
    pub(super) fn why_it_left(&self) -> Reason {
        self.listen_failed.map_or(Reason::Left, Reason::CannotListen)
    }

    pub(super) fn age(&self, now: Time) -> Duration {
        now - self.started
    }

    /// Not ready, and too young to be taken for a program that never listens.
    pub(super) fn is_starting(&self, now: Time, settings: &Settings) -> bool {
        match self.life {
            Life::Up(Progress::Silent | Progress::Online) => self.age(now) < settings.stable_for,
            Life::Up(Progress::Ready(_)) | Life::Cut(_) | Life::Ending(_) => false,
        }
    }

    /// It shows that the program can start: it serves, or it has outlived the start deadline.
    pub(super) fn is_proof(&self, now: Time, settings: &Settings) -> bool {
        self.is_ready() || (self.is_up() && self.age(now) >= settings.start_deadline)
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.life, Life::Up(_))
    }

    pub(super) fn worth(&self, now: Time, settings: &Settings) -> Worth {
        match self.life {
            Life::Up(Progress::Ready(since)) | Life::Cut(Progress::Ready(since)) => {
                if now - since >= settings.stable_for {
                    Worth::Proven
                } else {
                    Worth::ServedBriefly
                }
            }
            Life::Up(Progress::Silent | Progress::Online)
            | Life::Cut(Progress::Silent | Progress::Online)
            | Life::Ending(_) => {
                if self.age(now) >= settings.start_deadline {
                    Worth::Proven
                } else {
                    Worth::NeverStarted
                }
            }
        }
    }
}
