//! Exit statuses: what the command tells the shell, the init system or the container that started it.

use std::process::ExitCode;

/// How the command ended. The numbers are a contract: scripts and service files compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// The crew was asked to stop and everything ended within the grace; or there was nothing to run (`--help`).
    Stopped,
    /// The crew failed: its workers died too often, or did not start at all. Or what was asked of it failed: a reload
    /// was rolled back.
    CrewFailed,
    /// The command line cannot be understood or asks for something impossible. Nothing was started.
    Usage,
    /// The address that a worker asked for belongs to another process.
    AddressInUse,
    /// The crew was asked to stop, and workers were killed: the grace ran out or a second signal came.
    Forced,
    /// Another crew has the name. Nothing was started.
    NameTaken,
    /// There is no crew of this name, or none that answers.
    NoCrew,
    /// The primary itself is at fault or lacks something that every machine has.
    Internal,
    /// What was asked for was done, and the answer could not be written.
    NotWritten,
    /// The program exists but cannot be executed: no permission, a directory, not a program.
    NotExecutable,
    /// The program, its interpreter or its script was not found.
    NotFound,
}

impl ExitStatus {
    /// All statuses in the order of their numbers.
    pub(crate) const ALL: [Self; 11] = [
        Self::Stopped,
        Self::CrewFailed,
        Self::Usage,
        Self::AddressInUse,
        Self::Forced,
        Self::NameTaken,
        Self::NoCrew,
        Self::Internal,
        Self::NotWritten,
        Self::NotExecutable,
        Self::NotFound,
    ];

    /// The status of this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number that the parent process sees.
    ///
    /// 126 and 127 are the shell's own; 70 and 74 are `EX_SOFTWARE` and `EX_IOERR` of `sysexits.h`;
    /// 2 is what the argument parser uses.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::CrewFailed => 1,
            Self::Usage => 2,
            Self::AddressInUse => 3,
            Self::Forced => 4,
            Self::NameTaken => 5,
            Self::NoCrew => 6,
            Self::Internal => 70,
            Self::NotWritten => 74,
            Self::NotExecutable => 126,
            Self::NotFound => 127,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::words::help;

    #[test]
    fn every_status_is_listed_in_the_help_text_with_its_number() {
        for status in ExitStatus::ALL {
            let line = format!("\n  {:<5}", status.number());
            assert!(help::RUN_AFTER_LONG.contains(&line), "{status:?}");
        }
    }

    #[test]
    fn no_two_statuses_share_a_number() {
        let mut numbers: Vec<u8> = ExitStatus::ALL.map(ExitStatus::number).to_vec();
        numbers.dedup();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 70, 74, 126, 127]);
    }
}
