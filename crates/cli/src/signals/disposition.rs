//! What the process found when it started: which signals were ignored, and which terminal it has. Read once, before
//! any signal is given a meaning.

use std::fs;

use rustix::fs::{Mode, OFlags};
use rustix::termios::LocalModes;

use super::Signal;

/// The state at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disposition {
    /// Bit `n - 1` is set when signal `n` was ignored (`nohup`, or a script's `&`).
    ignored: u64,
    /// There was a controlling terminal.
    terminal: bool,
    /// The terminal stops background jobs that write (`stty tostop`).
    stops_writers: bool,
}

impl Disposition {
    /// Reads `/proc` and the terminal. What cannot be read counts as absent: nothing ignored, no terminal.
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let terminal = has_terminal();
        Self { ignored: ignored(&status), terminal, stops_writers: terminal && stops_writers() }
    }

    /// Whether the primary gives this signal its meaning. What was ignored at the start stays ignored.
    pub(super) fn is_ours(self, signal: Signal) -> bool {
        let was_ignored = self.ignored & (1 << (signal.number() - 1)) != 0;
        // Under `tostop` the kernel sends SIGTTOU for each write of a background job and repeats the write after a
        // handler: with a handler of ours one line of output would shrink the crew for ever. It stops the job instead,
        // as the user of `tostop` wants.
        let is_the_terminals = signal == Signal::TtyOut && self.stops_writers;
        !was_ignored && !is_the_terminals
    }

    /// Whether this process had a terminal at the start, so that it can be lost.
    pub(super) fn had_terminal(self) -> bool {
        self.terminal
    }
}

/// Whether this process has a controlling terminal now. After a real hang-up it has none.
pub(super) fn has_terminal() -> bool {
    fs::read_to_string("/proc/self/stat").is_ok_and(|stat| names_a_terminal(&stat))
}

/// The mask of ignored signals in the text of `/proc/self/status`.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Whether `/proc/self/stat` names a terminal: the fifth field after the command's name, which stands in parentheses
/// and may itself contain any character.
fn names_a_terminal(stat: &str) -> bool {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_ascii_whitespace().nth(4).is_some_and(|tty| tty != "0")
}

fn stops_writers() -> bool {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    rustix::fs::open("/dev/tty", flags, Mode::empty())
        .and_then(rustix::termios::tcgetattr)
        .is_ok_and(|modes| modes.local_modes.contains(LocalModes::TOSTOP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Disposition = Disposition { ignored: 0, terminal: true, stops_writers: false };

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\tffff\n"), 0x1001);
        assert_eq!(ignored("Name:\tx\n"), 0);
        assert_eq!(ignored("SigIgn:\tzz\n"), 0);
    }

    #[test]
    fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
        // SIGHUP is 1: what `nohup` ignores.
        let nohup = Disposition { ignored: 1, ..QUIET };
        assert!(!nohup.is_ours(Signal::HangUp));
        assert!(nohup.is_ours(Signal::Terminate));
        assert!(Signal::ALL.iter().all(|signal| QUIET.is_ours(*signal)));
    }

    #[test]
    fn ttou_is_left_to_a_terminal_that_stops_background_writers() {
        let tostop = Disposition { stops_writers: true, ..QUIET };
        assert!(!tostop.is_ours(Signal::TtyOut));
        assert!(tostop.is_ours(Signal::TtyIn));
    }

    #[test]
    fn the_terminal_is_found_behind_any_command_name() {
        assert!(names_a_terminal("7 (a) b (c)) S 1 7 7 34816 7 4194304"));
        assert!(!names_a_terminal("7 (34816 1 2 3 4 5) S 1 7 7 0 -1 4194304"));
        assert!(!names_a_terminal(""));
    }
}
