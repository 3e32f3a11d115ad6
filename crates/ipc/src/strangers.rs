//! Children that nobody here has started: orphans, which the kernel gives to process 1 of their namespace and to a
//! subreaper (PR_SET_CHILD_SUBREAPER(2const)). Somebody has to wait for them when they end.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, waitid};

/// The children that [`spawn`](fn@crate::spawn::spawn) has started and nobody has waited for.
static OWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Whoever holds it starts a child, or waits for one, and nobody takes that child for a stranger meanwhile.
#[derive(Debug)]
pub(crate) struct Own(MutexGuard<'static, BTreeSet<i32>>);

impl Own {
    pub(crate) fn lock() -> Self {
        // Nothing panics while it holds this lock.
        Self(OWN.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn started(&mut self, child: Pid) {
        self.0.insert(number(child));
    }

    /// Its number is free: the next process that has it may be a stranger.
    pub(crate) fn waited_for(&mut self, child: Pid) {
        self.0.remove(&number(child));
    }

    fn has_started(&self, child: Pid) -> bool {
        self.0.contains(&number(child))
    }
}

/// Waits for each child that has ended and was not started by [`spawn`](fn@crate::spawn::spawn); says how many those
/// were. Waits for no child that lives. To be called when SIGCHLD comes, by a process that is given orphans and starts
/// all its children in this way: the status of one that was started otherwise, by `std::process::Command` for example,
/// would be lost to whoever waits for it.
///
/// # Errors
///
/// When `/proc` cannot be read.
pub fn reap() -> io::Result<usize> {
    let mut reaped = 0;
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|it| it.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|pid| is_ended_child(*pid)) else { continue };
        let own = Own::lock();
        if own.has_started(pid) {
            continue;
        }
        // It is ours and has ended, so this neither waits nor takes anybody else. ECHILD: another thread was here first.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        if let Ok(Some(_)) = waitid(WaitId::Pid(pid), options) {
            reaped += 1;
        }
    }
    Ok(reaped)
}

fn number(pid: Pid) -> i32 {
    pid.as_raw_nonzero().get()
}

/// Whether that is a zombie whose parent is this process. One that has gone meanwhile is none.
fn is_ended_child(pid: Pid) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    let stat = String::from_utf8_lossy(&stat);
    // The program's name stands in parentheses and may contain any character, a parenthesis too.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_ascii_whitespace();
    let parent = number(getpid()).to_string();
    fields.next() == Some("Z") && fields.next() == Some(&parent)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::spawn::{SpawnSpec, spawn};

    /// Waits until the child is a zombie, without waiting for it.
    fn ended(pid: u32) -> Pid {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), options).unwrap();
        pid
    }

    /// One test for both: it waits for all children of the process.
    #[test]
    fn a_stranger_is_waited_for_and_the_status_of_a_spawned_child_is_left() {
        let mut stranger = Command::new("false").spawn().unwrap();
        let mut own = spawn(&SpawnSpec::new("/bin/false").channel(false)).unwrap().process;
        let living = spawn(&SpawnSpec::new("/bin/sleep").args(["1000"]).channel(false));
        let mut living = living.unwrap().process;
        ended(stranger.id());
        let pid = ended(own.pid());
        assert!(reap().unwrap() >= 1);
        assert!(stranger.wait().is_err(), "somebody has waited for it");
        assert!(is_ended_child(pid));
        assert_eq!(own.try_wait().unwrap().unwrap().code(), Some(1));
        assert!(!Own::lock().has_started(pid), "its number is free");
        assert_eq!(living.try_wait().unwrap(), None);
        living.signal(libc::SIGKILL).unwrap();
        ended(living.pid());
        assert!(living.try_wait().unwrap().is_some());
    }
}
