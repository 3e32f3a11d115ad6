//! CPU time and memory of processes, as /proc tells them.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use super::v1::Figures;

/// Two looks that are closer than this are one: a share of so short a time says nothing.
const SHORTEST_SPAN: Duration = Duration::from_millis(200);

/// What was seen at the last look, so that the next can say how busy a process was in between.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last: BTreeMap<u32, Look>,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    cpu_ms: u64,
    percent: Option<f64>,
}

impl Looks {
    /// Looks at these processes and forgets all others. Reading a process's memory takes the kernel up to a
    /// millisecond or two: to be called where nobody waits for it.
    pub(super) fn look(&mut self, processes: &[u32]) -> BTreeMap<u32, Figures> {
        self.last.retain(|pid, _| processes.contains(pid));
        processes.iter().map(|pid| (*pid, self.look_at(*pid))).collect()
    }

    fn look_at(&mut self, pid: u32) -> Figures {
        let memory = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
        let memory = memory.ok().and_then(|text| pss(&text));
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok();
        let Some(Times { cpu_ms, started_ms }) = stat.and_then(|text| times(&text)) else {
            return Figures { memory, ..Figures::default() };
        };
        let at = Instant::now();
        let percent = match self.last.get(&pid) {
            Some(last) if at - last.at < SHORTEST_SPAN => {
                return Figures { memory, cpu_ms: Some(cpu_ms), cpu_percent: last.percent };
            }
            Some(last) => Some(share(cpu_ms.saturating_sub(last.cpu_ms), at - last.at)),
            None => uptime_ms().map(|now| {
                share(cpu_ms, Duration::from_millis(now.saturating_sub(started_ms).max(1)))
            }),
        };
        self.last.insert(pid, Look { at, cpu_ms, percent });
        Figures { memory, cpu_ms: Some(cpu_ms), cpu_percent: percent }
    }
}

/// Per cent with one digit.
fn share(cpu_ms: u64, span: Duration) -> f64 {
    // Both fit a f64 exactly for any time that a process can have lived.
    (cpu_ms as f64 / span.as_secs_f64()).round() / 10.0
}

/// The line `Pss:` of `smaps_rollup`, which counts in KiB.
fn pss(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// What `/proc/PID/stat` says of time; `started_ms` is counted from the start of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    cpu_ms: u64,
    started_ms: u64,
}

/// Fields 14, 15 and 22, counted behind the name, which may contain anything.
fn times(text: &str) -> Option<Times> {
    let mut fields = text.get(text.rfind(')')? + 1..)?.split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let started: u64 = fields.nth(6)?.parse().ok()?;
    let ms = |ticks: u64| ticks * 1000 / rustix::param::clock_ticks_per_second();
    Some(Times { cpu_ms: ms(user + system), started_ms: ms(started) })
}

/// How long the machine has been up.
fn uptime_ms() -> Option<u64> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some((seconds * 1000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_understood_whatever_a_process_calls_itself() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 99";
        let ticks = rustix::param::clock_ticks_per_second();
        let expected = Times { cpu_ms: 300_000 / ticks, started_ms: 99_000 / ticks };
        assert_eq!(times(stat), Some(expected));
        assert_eq!(
            pss("55-66 ---p 0\nRss:  9 kB\nPss:    1234 kB\nPss_Dirty: 3 kB\n"),
            Some(1234 * 1024)
        );
        assert_eq!((times(""), pss("")), (None, None));
    }

    #[test]
    fn this_process_has_memory_and_a_process_that_is_gone_has_nothing() {
        let (ours, gone) = (std::process::id(), u32::MAX);
        let seen = Looks::default().look(&[ours, gone]);
        assert!(seen[&ours].memory > Some(0) && seen[&ours].cpu_ms.is_some());
        assert_eq!(seen[&gone], Figures::default());
    }

    #[test]
    fn a_share_is_in_per_cent_of_one_processor() {
        assert_eq!(share(500, Duration::from_secs(1)), 50.0);
        assert_eq!(share(0, Duration::from_secs(3)), 0.0);
    }
}
