//! A running program that cannot outlive its test.

use std::any::Any;
use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::log::{Line, Log, Mark, Missing, Stream};
use super::program::Program;
use super::signal::Signal;
use super::{proc_fs, reap};

/// How long the end of the tree may take after SIGKILL, and then the end of its output.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A started program, the leader of its own process group. Dropping it ends the whole tree.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    log: Log,
    readers: Vec<JoinHandle<()>>,
    marker: String,
    status: Option<ExitStatus>,
    /// Dropped behind the whole tree's end.
    _kept: Vec<Box<dyn Any + Send + Sync>>,
}

impl Process {
    pub(super) fn start(program: Program) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        reap::adopt_orphans();
        let Program { mut command, stdin, name, kept } = program;
        // Descendants inherit the marker, so a daemon that left group and session is still known as ours.
        let run = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        command.env(reap::MARKER, &run).process_group(0);
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let log = Log::new();
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("{name} cannot be started: {error} ({command:?})"),
        };
        let mut readers = Vec::new();
        if let Some(out) = child.stdout.take() {
            readers.push(log.capture(Stream::Out, out));
        }
        if let Some(err) = child.stderr.take() {
            readers.push(log.capture(Stream::Err, err));
        }
        let stdin = child.stdin.take();
        let marker = format!("{}={run}", reap::MARKER);
        Self { name, child, stdin, log, readers, marker, status: None, _kept: kept }
    }

    /// The process id. It stays ours until [`wait_exit`](Self::wait_exit) has returned or the guard is dropped.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The first line, of those written already and those to come, that `wanted` accepts.
    ///
    /// # Panics
    /// With everything the program wrote, when its output ends or `within` passes without such a line.
    pub fn wait_line(&self, wanted: impl FnMut(&str) -> bool, within: Duration) -> Line {
        self.wait_line_after(Mark::default(), wanted, within)
    }

    /// As [`wait_line`](Self::wait_line), looking only behind `mark`.
    ///
    /// # Panics
    /// As [`wait_line`](Self::wait_line).
    pub fn wait_line_after(
        &self,
        mark: Mark,
        wanted: impl FnMut(&str) -> bool,
        within: Duration,
    ) -> Line {
        match self.log.wait(mark, wanted, within) {
            Ok(line) => line,
            Err(Missing::Ended) => {
                self.fail("its output ended without the line that was waited for")
            }
            Err(Missing::Late) => self.fail(&format!("no such line within {within:?}")),
        }
    }

    /// The place behind everything that was written so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.log.mark()
    }

    /// Whether somebody has waited for its end and knows its status.
    #[must_use]
    pub const fn was_awaited(&self) -> bool {
        self.status.is_some()
    }

    /// Every line so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.log.lines()
    }

    /// Writes one line to the program's standard input.
    ///
    /// # Panics
    /// When it was started without [`Program::stdin_pipe`], or does not read any more.
    pub fn write_line(&mut self, line: &str) {
        let written = match &mut self.stdin {
            Some(stdin) => stdin.write_all(format!("{line}\n").as_bytes()),
            None => Err(io::Error::other("its standard input is no pipe")),
        };
        if let Err(error) = written {
            self.fail(&format!("line {line:?} could not be written: {error}"));
        }
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal to the program alone, not to its group.
    ///
    /// # Panics
    /// When the program was already waited for: its number may belong to another process by now.
    pub fn signal(&self, signal: Signal) {
        if self.status.is_some() {
            self.fail(&format!("{signal:?} cannot be sent: the process was reaped"));
        }
        // Unreaped, so the number is still its own, even when it is a zombie.
        if let Err(error) = reap::signal(self.pid(), signal) {
            self.fail(&format!("{signal:?} cannot be sent: {error}"));
        }
    }

    /// Sends a signal to a descendant, for instance a worker.
    ///
    /// # Errors
    /// `NotFound` when `pid` is not, or no longer, a descendant of this program; else what the system says.
    pub fn signal_descendant(&self, pid: u32, signal: Signal) -> io::Result<()> {
        // First the handle, then the question: a number that was reused meanwhile fails the question.
        let handle = reap::open(pid)?;
        if !proc_fs::descendants(self.pid()).contains(&pid) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no descendant of this program"));
        }
        reap::signal_handle(&handle, signal)
    }

    /// The exit status, when the program has ended. Reaps it.
    pub fn try_exit(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Waits for the program's end and returns its exit status.
    ///
    /// # Panics
    /// With everything the program wrote, when it has not ended within that time.
    pub fn wait_exit(&mut self, within: Duration) -> ExitStatus {
        if self.status.is_none() && !reap::wait_dead(self.pid(), within) {
            self.fail(&format!("it has not ended within {within:?}"));
        }
        match self.try_exit() {
            Some(status) => status,
            None => self.fail("it ended but somebody else reaped it"),
        }
    }

    /// As [`wait_exit`](Self::wait_exit), and then waits until all output has been captured.
    ///
    /// # Panics
    /// As [`wait_exit`](Self::wait_exit), and when a descendant keeps the output open beyond that time.
    pub fn wait_output(&mut self, within: Duration) -> (ExitStatus, Vec<Line>) {
        let status = self.wait_exit(within);
        if !self.log.wait_end(within) {
            self.fail("it has ended, but something that it started keeps its output open");
        }
        (status, self.log.lines())
    }

    /// Fails the test with `why` and everything the program wrote.
    ///
    /// # Panics
    /// Always.
    pub fn fail(&self, why: &str) -> ! {
        panic!("{} (pid {}): {why}\n--- its output ---\n{}", self.name, self.pid(), self.log);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        let left = reap::end_tree(&mut self.child, self.status.is_some(), &self.marker, END_WITHIN);
        let ended = self.log.wait_end(END_WITHIN);
        if ended {
            for reader in self.readers.drain(..) {
                // A reader has nothing left to do but return; a panic in it has been printed.
                let _ = reader.join();
            }
        }
        // A second panic would abort the whole test program, so the first one is kept.
        let all_gone = left.is_empty() && ended;
        if !all_gone && !std::thread::panicking() {
            panic!("{}: not everything it started could be ended; left: {left:?}", self.name);
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name)
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

/// Asks `look` until it answers, for facts that send no event (a descriptor count, a process state).
///
/// # Panics
/// When `within` passes without an answer; `what` says what was waited for.
pub fn eventually<T>(what: &str, within: Duration, look: impl FnMut() -> Option<T>) -> T {
    at_last(within, Option::is_some, look)
        .unwrap_or_else(|| panic!("{what}: not within {within:?}"))
}

/// What `look` finds once it is as wanted; or else, when the time is over, for whoever tells by how much it is not.
pub fn at_last<T>(
    within: Duration,
    is_wanted: impl Fn(&T) -> bool,
    mut look: impl FnMut() -> T,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        let found = look();
        if is_wanted(&found) || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
