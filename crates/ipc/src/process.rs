//! A started process, watched and signalled through its pidfd.
//!
//! A pid may be given to a stranger as soon as the process was reaped; a pidfd never means another
//! process. There is no SIGCHLD handler: each process is waited for by itself.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process,
    kill_process_group, pidfd_getfd, pidfd_open, pidfd_send_signal, waitid,
};

use crate::reactor::AsyncOwnedFd;
use crate::strangers::Own;

/// A child of this process, started by [`spawn`](fn@crate::spawn::spawn).
///
/// Dropping it neither kills nor waits: the process runs on, and when it ends it stays a zombie
/// until this process ends. Keep the value until [`wait`](Self::wait) has given the status.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    leads_group: bool,
    watch: Watch,
    life: Life,
}

/// The pidfd, registered with a runtime only once somebody waits, so that starting needs none.
#[derive(Debug)]
enum Watch {
    Unregistered(OwnedFd),
    Registered(AsyncOwnedFd),
}

#[derive(Debug, Clone, Copy)]
enum Life {
    /// Not reaped by us. It may have ended; its pid is its own.
    Unreaped,
    Reaped(ExitStatus),
    /// Somebody else in this process waited for it. Nobody knows the status, and the pid is free.
    Lost,
}

impl Process {
    /// Takes charge of a child that was started this moment and that nobody waits for.
    ///
    /// # Errors
    ///
    /// When there is no pidfd (usually the limit of open descriptors). The child was killed and
    /// reaped then: without a pidfd nobody could supervise it.
    pub(crate) fn adopt(pid: i32, leads_group: bool, own: &mut Own) -> io::Result<Self> {
        let pid = Pid::from_raw(pid).ok_or(Errno::SRCH)?;
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => {
                let watch = Watch::Unregistered(pidfd);
                own.started(pid);
                Ok(Self { pid, leads_group, watch, life: Life::Unreaped })
            }
            Err(error) => {
                // By pid, and still safe: the child is ours and unreaped, so the pid is its own.
                // ESRCH and ECHILD say that it is gone already, which is all that is wanted.
                let _ = kill_process(pid, Signal::KILL);
                let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED);
                Err(error.into())
            }
        }
    }

    /// The process id, also after the end (for messages; signals go by [`signal`](Self::signal)).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Registers with the current runtime now, which the first wait would do else. It needs one more
    /// descriptor for a moment: here its lack can still be told to whoever started the process.
    ///
    /// # Errors
    ///
    /// No tokio runtime is current, or it is shutting down; no descriptor or memory is left. The process is
    /// as it was.
    pub fn register(&mut self) -> io::Result<()> {
        self.registered().map(drop)
    }

    /// Whether other code in this process has waited for the child: it is gone, and nobody knows how.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.life, Life::Lost)
    }

    /// The exit status, once it was reaped.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        match self.life {
            Life::Reaped(status) => Some(status),
            Life::Unreaped | Life::Lost => None,
        }
    }

    /// Whether the process is ending or has ended. True already when its sockets are being closed for that reason: the
    /// kernel takes its memory first. (And of one whose first thread has ended while others go on, which is seldom done.)
    #[must_use]
    pub fn is_ending(&self) -> bool {
        match self.life {
            Life::Unreaped => {}
            Life::Reaped(_) | Life::Lost => return true,
        }
        let pages = std::fs::read(format!("/proc/{}/statm", self.pid()));
        pages.is_ok_and(|pages| pages.starts_with(b"0 "))
    }

    /// Sends a signal (its number) to the process. A process that has ended and is not reaped yet
    /// takes it without effect.
    ///
    /// # Errors
    ///
    /// `ESRCH` after the process was reaped, and never a signal to another process that got its
    /// pid; `InvalidInput` for a number without a name; `EPERM` when the process changed its user.
    pub fn signal(&self, signal: i32) -> io::Result<()> {
        let signal = named(signal)?;
        self.unreaped()?;
        Ok(pidfd_send_signal(self.pidfd(), signal)?)
    }

    /// A copy of one of the process's descriptors, by its number there; it is open here as well, close-on-exec
    /// (pidfd_getfd(2), Linux 5.6).
    ///
    /// # Errors
    ///
    /// `EBADF` when the process has no such descriptor; `EPERM` when this process may not look into that one
    /// (another user's, or a sandbox); `ENOSYS` on an older kernel.
    pub fn copy_fd(&self, number: RawFd) -> io::Result<OwnedFd> {
        self.unreaped()?;
        Ok(pidfd_getfd(self.pidfd(), number, PidfdGetfdFlags::empty())?)
    }

    /// Sends a signal (its number) to every process in the child's group: the child and what it
    /// started, unless that left the group.
    ///
    /// A group has no pidfd, so this goes by number. It is safe because it is refused after the
    /// reap: until then even a zombie keeps its pid, so the number cannot name another group. To
    /// end stragglers of a dead leader, call this between [`poll_dead`](Self::poll_dead) and the
    /// reap.
    ///
    /// # Errors
    ///
    /// As [`signal`](Self::signal); and `Unsupported` when the child was not given a group of its
    /// own, because its group is ours then.
    pub fn signal_group(&self, signal: i32) -> io::Result<()> {
        let signal = named(signal)?;
        if !self.leads_group {
            let reason = "the process shares the group of its parent";
            return Err(io::Error::new(io::ErrorKind::Unsupported, reason));
        }
        self.unreaped()?;
        Ok(kill_process_group(self.pid, signal)?)
    }

    /// Waits until the process has ended, without reaping it: its pid and its group stay its own.
    ///
    /// # Errors
    ///
    /// No tokio runtime is current, or it is shutting down; or other code in this process has
    /// waited for the child, and its status is lost.
    pub fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.life {
            Life::Unreaped => (),
            Life::Reaped(_) => return Poll::Ready(Ok(())),
            Life::Lost => return Poll::Ready(Err(lost(self.pid))),
        }
        let watch = self.registered()?;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let found = ready!(watch.poll_read_io(cx, |pidfd| {
            waitid(WaitId::PidFd(pidfd), look)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
        }));
        Poll::Ready(match found {
            Ok(WaitIdStatus { .. }) => Ok(()),
            Err(error) => Err(self.note(error)),
        })
    }

    /// Waits until the process has ended, reaps it and gives its status; after that, gives the
    /// same status at once.
    ///
    /// # Errors
    ///
    /// As [`poll_dead`](Self::poll_dead).
    pub fn poll_exit(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        loop {
            ready!(self.poll_dead(cx))?;
            if let Some(status) = self.try_wait()? {
                return Poll::Ready(Ok(status));
            }
        }
    }

    /// Reaps the process if it has ended. Needs no runtime.
    ///
    /// # Errors
    ///
    /// Other code in this process has waited for the child, and its status is lost.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match self.life {
            Life::Unreaped => (),
            Life::Reaped(status) => return Ok(Some(status)),
            Life::Lost => return Err(lost(self.pid)),
        }
        let reap = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let mut own = Own::lock();
        match waitid(WaitId::PidFd(self.pidfd()), reap) {
            Ok(None) => Ok(None),
            Ok(Some(status)) => {
                own.waited_for(self.pid);
                let status = exit_status(&status);
                self.life = Life::Reaped(status);
                Ok(Some(status))
            }
            Err(errno) => {
                drop(own);
                Err(self.note(errno.into()))
            }
        }
    }

    /// Waits until the process has ended, reaps it and gives its status.
    ///
    /// # Errors
    ///
    /// As [`poll_dead`](Self::poll_dead).
    ///
    /// # Cancel safety
    ///
    /// Safe: a dropped future leaves the process as it was, or its status in this value.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        std::future::poll_fn(|cx| self.poll_exit(cx)).await
    }

    fn pidfd(&self) -> BorrowedFd<'_> {
        match &self.watch {
            Watch::Unregistered(pidfd) => pidfd.as_fd(),
            Watch::Registered(pidfd) => pidfd.as_fd(),
        }
    }

    /// Registers a duplicate and then drops the original: a failed registration (no runtime, no
    /// memory) must not cost the pidfd.
    fn registered(&mut self) -> io::Result<&AsyncOwnedFd> {
        if let Watch::Unregistered(pidfd) = &self.watch {
            let duplicate = pidfd.try_clone()?;
            self.watch = Watch::Registered(AsyncOwnedFd::new(duplicate)?);
        }
        match &self.watch {
            Watch::Registered(watch) => Ok(watch),
            Watch::Unregistered(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn unreaped(&self) -> io::Result<()> {
        match self.life {
            Life::Unreaped => Ok(()),
            Life::Reaped(_) | Life::Lost => Err(Errno::SRCH.into()),
        }
    }

    fn note(&mut self, error: io::Error) -> io::Error {
        if error.raw_os_error() == Some(libc::ECHILD) {
            self.life = Life::Lost;
            Own::lock().waited_for(self.pid);
            return lost(self.pid);
        }
        error
    }
}

impl AsFd for Process {
    /// The pidfd.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd()
    }
}

fn named(signal: i32) -> io::Result<Signal> {
    Signal::from_named_raw(signal).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{signal} is no signal with a name"))
    })
}

fn lost(pid: Pid) -> io::Error {
    io::Error::other(format!("other code in this process has waited for its child {pid}"))
}

/// The status in the form of `waitpid`, which is what std understands.
fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    let raw = match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => (code & 0xff) << 8,
        (None, Some(signal)) if status.dumped() => signal | 0x80,
        (None, Some(signal)) => signal,
        // Asked for EXITED alone, the kernel reports nothing else.
        (None, None) => 0,
    };
    ExitStatus::from_raw(raw)
}
