//! What is looked at from time to time, where there is a limit: how much memory of its own each worker of a crew has,
//! and how many connections it has taken.

use std::time::Duration;

use portcrew_core::WorkerId;
use portcrew_core::supervise::Event;
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::command::Command;
use super::driver::Driver;
use super::readiness::Sign;

/// From one look to the next. The kernel walks through all of a process's memory for one, so it is not done often.
const MEMORY_EVERY: Duration = Duration::from_secs(5);

/// The task that asks for a look again and again; it ends with this.
#[derive(Debug)]
pub(super) struct Vitals(JoinHandle<()>);

impl Vitals {
    pub(super) fn of_memory(to: &WeakUnboundedSender<Command>) -> Self {
        let to = to.clone();
        Self(tokio::spawn(async move {
            loop {
                sleep(MEMORY_EVERY).await;
                if to.upgrade().is_none_or(|to| to.send(Command::LookAtMemory).is_err()) {
                    return;
                }
            }
        }))
    }
}

impl Drop for Vitals {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Driver {
    /// Looks at every worker of the crew, on a thread that may take its time. A worker that ends meanwhile is no longer
    /// the crew's when the answer comes, whoever has its pid then.
    pub(super) fn look_at_memory(&self) {
        let of_crew = self.links.values().filter(|it| it.place.is_some());
        let living = of_crew.filter(|it| !it.shared.has_exited());
        let workers: Vec<_> = living.map(|it| (it.shared.id, it.shared.pid)).collect();
        let to = self.command_sender.clone();
        tokio::task::spawn_blocking(move || {
            for (worker, pid) in workers {
                let sign = own_memory(pid).map(Sign::Memory);
                let command = sign.map(|sign| Command::Sign { worker, sign });
                if let (Some(command), Some(to)) = (command, to.upgrade()) {
                    // A driver that is gone has no workers left.
                    let _ = to.send(command);
                }
            }
        });
    }

    /// A worker has taken one more connection.
    pub(super) fn count_use(&mut self, worker: WorkerId, connections: u64) {
        if self
            .crew
            .settings()
            .and_then(|it| it.max_connections)
            .is_some_and(|it| connections >= it)
        {
            self.crew_tell(Event::Used { worker, connections });
        }
    }
}

/// Proportional set size in bytes: what is shared with others counts in part. Where the kernel does not show that of
/// another user's process, the resident size has to do. `None` when there is no such process.
fn own_memory(pid: u32) -> Option<u64> {
    let read = |file: &str, field: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        kilobytes(&text, field).map(|it| it * 1024)
    };
    read("smaps_rollup", "Pss:").or_else(|| read("status", "VmRSS:"))
}

/// proc(5): `Pss:   1234 kB`.
fn kilobytes(text: &str, field: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.trim().strip_suffix("kB")?.trim_end().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_with_its_unit() {
        let text = "00400000-7ffd2 ---p 00000000 00:00 0  [rollup]\nRss:  9 kB\nPss:    1234 kB\n";
        assert_eq!(kilobytes(text, "Pss:"), Some(1234));
        assert_eq!(kilobytes("Pss: many kB", "Pss:"), None);
    }

    #[test]
    fn this_process_has_memory_and_one_that_is_not_there_has_none() {
        assert!(own_memory(std::process::id()).is_some_and(|it| it > 100_000));
        assert_eq!(own_memory(u32::MAX), None);
    }
}
