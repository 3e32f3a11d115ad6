//! How a crew ended: the last words and the exit status.

use std::time::Duration;

use portcrew::{Error, Outcome};

use crate::exit::ExitStatus;
use crate::output::words::{chain, notices};

/// What was counted while the crew ran and is needed to say how it ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    /// Workers that ended unasked.
    pub(super) deaths: u64,
    /// Since the first worker was started.
    pub(super) age: Duration,
    /// The status for the last program that could not be started.
    pub(super) spawn_failure: Option<ExitStatus>,
    /// Why the last listener was not had, in words, where more is known than that.
    pub(super) no_listener: Option<String>,
}

/// Workers that had to be killed.
pub(super) fn killed(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Forced { workers } => workers,
        Outcome::Stopped
        | Outcome::CannotStart
        | Outcome::CannotListen { .. }
        | Outcome::NeverReady { .. }
        | Outcome::DiedTooOften { .. } => 0,
        // An outcome of a newer library.
        _ => 0,
    }
}

/// The same for a crew of which nothing was started, because what was asked for cannot be had.
pub(super) fn not_begun(error: &Error) -> (ExitStatus, String) {
    let status = match error {
        Error::Listen(refused) if refused.errno() == Some(in_use()) => ExitStatus::AddressInUse,
        Error::Listen(_) => ExitStatus::CrewFailed,
        Error::Setting { .. }
        | Error::Address { .. }
        | Error::NotPassed { .. }
        | Error::Argument { .. } => ExitStatus::Usage,
        _ => ExitStatus::Internal,
    };
    (status, chain(error))
}

const fn in_use() -> i32 {
    rustix::io::Errno::ADDRINUSE.raw_os_error()
}

/// The exit status and the line that goes with it.
pub(super) fn verdict(outcome: Outcome, account: &Account) -> (ExitStatus, String) {
    match outcome {
        Outcome::Stopped => (ExitStatus::Stopped, notices::stopped()),
        Outcome::Forced { workers } => (ExitStatus::Forced, notices::forced(workers)),
        Outcome::CannotStart => {
            let status = account.spawn_failure.unwrap_or(ExitStatus::NotExecutable);
            (status, notices::program_cannot_start())
        }
        // Asked for by the option that names the codes; 0 among them is a program that has done its work.
        Outcome::Retired { code: 0 } => (ExitStatus::Stopped, notices::all_retired(0)),
        Outcome::Retired { code } => (ExitStatus::CrewFailed, notices::all_retired(code)),
        Outcome::CannotListen { errno, .. } => {
            let status =
                if errno.0 == in_use() { ExitStatus::AddressInUse } else { ExitStatus::CrewFailed };
            (status, notices::gave_up_listening(account.no_listener.as_deref()))
        }
        Outcome::NeverReady { .. } | Outcome::DiedTooOften { .. } => {
            (ExitStatus::CrewFailed, notices::crew_failed(account.deaths, account.age))
        }
        // An outcome of a newer library: whatever it is, nobody asked for it.
        _ => (ExitStatus::CrewFailed, outcome.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use portcrew::{Errno, WorkerId};

    use super::*;

    #[test]
    fn a_crew_without_its_listener_says_at_last_why_where_that_is_known() {
        let errno = Errno(rustix::io::Errno::ACCESS.raw_os_error());
        let outcome = Outcome::CannotListen { worker: WorkerId(1), errno };
        for (no_listener, last) in [
            (None, "gave up: another try would find the address as it is"),
            (Some("so it is"), "gave up: so it is"),
        ] {
            let account =
                Account { no_listener: no_listener.map(Into::into), ..Account::default() };
            assert_eq!(verdict(outcome, &account), (ExitStatus::CrewFailed, last.to_owned()));
        }
    }
}
