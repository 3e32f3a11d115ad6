//! The signals that tests send, by their names.

use rustix::process::Signal as Raw;

/// A signal for [`Process::signal`](super::Process::signal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Hang-up: portcrew replaces its workers.
    Hup,
    /// Interrupt, as by Ctrl-C.
    Int,
    /// Quit.
    Quit,
    /// Abort, with a core file where that is on.
    Abrt,
    /// The uncatchable end.
    Kill,
    /// First user signal.
    Usr1,
    /// A bad memory access, here sent on purpose.
    Segv,
    /// Second user signal.
    Usr2,
    /// The polite end.
    Term,
    /// Continue after a stop.
    Cont,
    /// The uncatchable stop: a process that hangs without being dead.
    Stop,
    /// One worker more.
    Ttin,
    /// One worker fewer.
    Ttou,
    /// The window's size has changed: nothing happens by default.
    Winch,
}

impl Signal {
    pub(crate) const fn raw(self) -> Raw {
        match self {
            Self::Hup => Raw::HUP,
            Self::Int => Raw::INT,
            Self::Quit => Raw::QUIT,
            Self::Abrt => Raw::ABORT,
            Self::Kill => Raw::KILL,
            Self::Usr1 => Raw::USR1,
            Self::Segv => Raw::SEGV,
            Self::Usr2 => Raw::USR2,
            Self::Term => Raw::TERM,
            Self::Cont => Raw::CONT,
            Self::Stop => Raw::STOP,
            Self::Ttin => Raw::TTIN,
            Self::Ttou => Raw::TTOU,
            Self::Winch => Raw::WINCH,
        }
    }

    /// The signal's number on this system, as `ExitStatusExt::signal` reports it.
    #[must_use]
    pub const fn number(self) -> i32 {
        self.raw().as_raw()
    }
}
