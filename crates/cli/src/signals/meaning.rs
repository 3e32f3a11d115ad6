//! The table of signals and commands. Pure.

/// A signal that the primary gives a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    HangUp,
    TtyIn,
    TtyOut,
}

/// What the crew is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Drain and stop within the grace.
    Stop,
    /// Stop at once: the grace is over.
    StopNow,
    /// The terminal has gone away: drain and stop, there is nobody to tell about it.
    HangupStops,
    /// Replace all workers one by one.
    Reload,
    /// One worker more.
    More,
    /// One worker fewer.
    Fewer,
}

/// What the meaning of a signal depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Situation {
    /// The crew was told to stop before.
    pub(crate) stopping: bool,
    /// This process had a controlling terminal when it started, and has it no longer.
    pub(crate) terminal_gone: bool,
}

impl Signal {
    /// All of them, in the order of the documentation.
    pub(crate) const ALL: [Self; 5] =
        [Self::Interrupt, Self::Terminate, Self::HangUp, Self::TtyIn, Self::TtyOut];

    /// The kernel's number.
    pub(crate) fn number(self) -> i32 {
        use rustix::process::Signal as Kernel;
        match self {
            Self::Interrupt => Kernel::INT,
            Self::Terminate => Kernel::TERM,
            Self::HangUp => Kernel::HUP,
            Self::TtyIn => Kernel::TTIN,
            Self::TtyOut => Kernel::TTOU,
        }
        .as_raw()
    }

    /// The command that this signal is; `None` when it changes nothing any more.
    pub(crate) fn meaning(self, situation: Situation) -> Option<Command> {
        let Situation { stopping, terminal_gone } = situation;
        match self {
            Self::Interrupt | Self::Terminate if stopping => Some(Command::StopNow),
            Self::Interrupt | Self::Terminate => Some(Command::Stop),
            // A crew that is stopping is neither replaced nor resized. A hang-up does not hurry it either: the kernel
            // and the shell both send one when a terminal closes, and two of them are one wish.
            Self::HangUp | Self::TtyIn | Self::TtyOut if stopping => None,
            Self::HangUp if terminal_gone => Some(Command::HangupStops),
            Self::HangUp => Some(Command::Reload),
            Self::TtyIn => Some(Command::More),
            Self::TtyOut => Some(Command::Fewer),
        }
    }
}

impl Command {
    /// Whether the crew is on its way down after this command.
    pub(crate) fn stops(self) -> bool {
        match self {
            Self::Stop | Self::StopNow | Self::HangupStops => true,
            Self::Reload | Self::More | Self::Fewer => false,
        }
    }

    /// The number of workers wanted after this command: `More` and `Fewer` change it by one, never below 1 and never
    /// above `most`.
    pub(crate) fn resize(self, wanted: usize, most: usize) -> usize {
        match self {
            Self::More => wanted.saturating_add(1).min(most.max(wanted)),
            Self::Fewer => wanted.saturating_sub(1).max(1),
            Self::Stop | Self::StopNow | Self::HangupStops | Self::Reload => wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: Situation = Situation { stopping: false, terminal_gone: false };
    const STOPPING: Situation = Situation { stopping: true, terminal_gone: false };

    #[test]
    fn the_first_stop_drains_and_the_second_stops_at_once() {
        for first in [Signal::Interrupt, Signal::Terminate] {
            assert_eq!(first.meaning(RUNNING), Some(Command::Stop));
            assert_eq!(first.meaning(STOPPING), Some(Command::StopNow));
        }
    }

    #[test]
    fn a_hang_up_reloads_unless_it_is_a_real_one() {
        assert_eq!(Signal::HangUp.meaning(RUNNING), Some(Command::Reload));
        let hung_up = Situation { terminal_gone: true, ..RUNNING };
        assert_eq!(Signal::HangUp.meaning(hung_up), Some(Command::HangupStops));
    }

    #[test]
    fn a_stopping_crew_is_not_hurried_by_a_hang_up_nor_resized() {
        for signal in [Signal::HangUp, Signal::TtyIn, Signal::TtyOut] {
            for terminal_gone in [false, true] {
                assert_eq!(signal.meaning(Situation { terminal_gone, ..STOPPING }), None);
            }
        }
    }

    #[test]
    fn the_crew_never_shrinks_below_one_nor_grows_above_its_limit() {
        assert_eq!(Command::Fewer.resize(2, 8), 1);
        assert_eq!(Command::Fewer.resize(1, 8), 1);
        assert_eq!(Command::More.resize(7, 8), 8);
        assert_eq!(Command::More.resize(8, 8), 8);
        assert_eq!(Command::More.resize(9, 8), 9, "a crew that is larger is left as it is");
        assert_eq!(Command::Reload.resize(3, 8), 3);
    }
}
