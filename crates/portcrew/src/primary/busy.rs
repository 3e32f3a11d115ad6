//! How busy each worker's process is, read from `/proc` while a policy needs it.

use std::collections::BTreeMap;
use std::time::Duration;

use portcrew_core::primary::Event;
use portcrew_core::scheduler::CpuShare;
use portcrew_core::{Time, WorkerId};

use super::driver::Driver;

/// How often it is looked at. The kernel counts in hundredths of a second: half a second is exact to two of a hundred.
const EVERY: Duration = Duration::from_millis(500);

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Busy {
    next: Option<Time>,
    last: BTreeMap<WorkerId, Reading>,
}

/// Processor time up to a point in time.
#[derive(Debug, Clone, Copy)]
struct Reading {
    ticks: u64,
    at: Time,
}

impl Busy {
    pub(super) const fn next_timeout(&self) -> Option<Time> {
        self.next
    }
}

impl Driver {
    /// Begins to look, or ends, as the policies need it by now.
    pub(super) fn watch_busy(&mut self) {
        match (self.machine.needs_cpu(), self.busy.next) {
            (true, None) => self.busy.next = Some(self.now),
            (false, Some(_)) => self.busy = Busy::default(),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Looks at all processes, when it is time.
    pub(super) fn look_busy(&mut self) {
        if self.busy.next.is_none_or(|at| at > self.now) {
            return;
        }
        self.busy.next = Some(self.now + EVERY);
        let pids: Vec<_> = self.links.values().map(|it| (it.shared.id, it.shared.pid)).collect();
        self.busy.last.retain(|worker, _| self.links.contains_key(worker));
        for (worker, pid) in pids {
            // Not reaped, so the number is still its own. One that cannot be read shows nothing.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let Some(ticks) = ticks_of(&stat) else { continue };
            let reading = Reading { ticks, at: self.now };
            if let Some(before) = self.busy.last.insert(worker, reading) {
                self.then(Event::Cpu { worker, share: share(before, reading) });
            }
        }
        self.settle();
    }
}

/// User and system time of a process, from proc_pid_stat(5): the 14th and 15th field. The second is a name in
/// parentheses, which may hold anything.
fn ticks_of(stat: &str) -> Option<u64> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

fn share(before: Reading, now: Reading) -> CpuShare {
    let seconds = now.at.since(before.at).as_secs_f64();
    let ticks = now.ticks.saturating_sub(before.ticks);
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share in thousandths needs no more than that"
    )]
    let thousandths = (ticks as f64 * 1000.0 / (per_second as f64 * seconds.max(0.001))) as u32;
    CpuShare(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_parentheses_and_spaces() {
        let stat = "12 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0";
        assert_eq!(ticks_of(stat), Some(175));
        assert_eq!(ticks_of(""), None);
        assert_eq!(ticks_of("12 (cut) S 1 2 3"), None);
    }

    #[test]
    fn our_own_process_can_be_read() {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        assert!(ticks_of(&stat).is_some(), "{stat}");
    }

    #[test]
    fn a_thread_that_never_sleeps_is_a_thousand() {
        let at = |ms| Time::from_origin(Duration::from_millis(ms));
        let per_second = rustix::param::clock_ticks_per_second();
        let before = Reading { ticks: 5, at: at(0) };
        let now = Reading { ticks: 5 + per_second / 2, at: at(500) };
        assert_eq!(share(before, now), CpuShare(1000));
    }
}
