//! Signals by name and number.

use std::fmt;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal as System;

/// A signal for a worker, or the one that ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGTERM
    Terminate,
    /// SIGKILL, to the worker's whole process group.
    Kill,
    /// SIGINT
    Interrupt,
    /// SIGHUP
    Hangup,
    /// SIGUSR1
    User1,
    /// SIGUSR2
    User2,
    /// Any other, by its number.
    Other(i32),
}

/// Those that Node knows by name, which a worker can meet.
const NAMES: [(System, &str); 29] = [
    (System::HUP, "SIGHUP"),
    (System::INT, "SIGINT"),
    (System::QUIT, "SIGQUIT"),
    (System::ILL, "SIGILL"),
    (System::TRAP, "SIGTRAP"),
    (System::ABORT, "SIGABRT"),
    (System::BUS, "SIGBUS"),
    (System::FPE, "SIGFPE"),
    (System::KILL, "SIGKILL"),
    (System::USR1, "SIGUSR1"),
    (System::SEGV, "SIGSEGV"),
    (System::USR2, "SIGUSR2"),
    (System::PIPE, "SIGPIPE"),
    (System::ALARM, "SIGALRM"),
    (System::TERM, "SIGTERM"),
    (System::CHILD, "SIGCHLD"),
    (System::CONT, "SIGCONT"),
    (System::STOP, "SIGSTOP"),
    (System::TSTP, "SIGTSTP"),
    (System::TTIN, "SIGTTIN"),
    (System::TTOU, "SIGTTOU"),
    (System::URG, "SIGURG"),
    (System::XCPU, "SIGXCPU"),
    (System::XFSZ, "SIGXFSZ"),
    (System::VTALARM, "SIGVTALRM"),
    (System::PROF, "SIGPROF"),
    (System::WINCH, "SIGWINCH"),
    (System::IO, "SIGIO"),
    (System::SYS, "SIGSYS"),
];

impl Signal {
    /// The signal that ended a process: the second argument of Node's `exit` event. `None` for one that ended by
    /// itself; its [`code`](ExitStatus::code) is the first argument.
    #[must_use]
    pub fn of(status: ExitStatus) -> Option<Self> {
        status.signal().map(Self::from_number)
    }

    /// The signal with this number on this system.
    #[must_use]
    pub fn from_number(number: i32) -> Self {
        let named =
            [Self::Terminate, Self::Kill, Self::Interrupt, Self::Hangup, Self::User1, Self::User2];
        named.into_iter().find(|it| it.number() == number).unwrap_or(Self::Other(number))
    }

    /// The signal with this name, as in `SIGTERM`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(system, _)| Self::from_number(system.as_raw()))
    }

    /// The number on this system.
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::Terminate => System::TERM.as_raw(),
            Self::Kill => System::KILL.as_raw(),
            Self::Interrupt => System::INT.as_raw(),
            Self::Hangup => System::HUP.as_raw(),
            Self::User1 => System::USR1.as_raw(),
            Self::User2 => System::USR2.as_raw(),
            Self::Other(number) => number,
        }
    }

    /// Its name, as in `SIGTERM`; `None` for a number that has none, such as the real-time signals.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let number = self.number();
        NAMES.iter().find(|(system, _)| system.as_raw() == number).map(|(_, name)| *name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.number()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_its_number_and_back() {
        for (system, name) in NAMES {
            let signal = Signal::from_name(name).unwrap();
            assert_eq!(signal.number(), system.as_raw());
            assert_eq!((signal.name(), signal.to_string()), (Some(name), name.to_owned()));
        }
        assert_eq!(Signal::from_name("SIGKILL"), Some(Signal::Kill));
        assert_eq!(Signal::from_name("KILL"), None);
    }

    #[test]
    fn a_number_without_a_name_is_told_as_one() {
        assert_eq!(Signal::from_number(35).to_string(), "signal 35");
    }

    #[test]
    fn a_status_tells_the_signal_or_the_code() {
        let killed = ExitStatus::from_raw(9);
        assert_eq!((Signal::of(killed), killed.code()), (Some(Signal::Kill), None));
        let left = ExitStatus::from_raw(42 << 8);
        assert_eq!((Signal::of(left), left.code()), (None, Some(42)));
    }
}
