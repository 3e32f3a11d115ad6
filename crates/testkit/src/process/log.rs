//! The captured output of a started program: lines with their time and stream, and waiting for one of them.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Most bytes of output that are kept of one program. What comes beyond is read and counted, so that the program never
/// blocks on a full pipe, but it cannot be waited for.
pub const MAX_CAPTURE: usize = 64 << 20;

/// Which of its two outputs a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// One line of output.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was read, counted from the start of the program.
    pub at: Duration,
    /// Where it was written.
    pub stream: Stream,
    /// The line without its line end; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The place behind this line, for a search that shall not find it again.
    pub mark: Mark,
}

/// A place in the captured output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

/// Why a line was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Ended,
    Late,
}

/// The output of one program, filled by one thread per stream.
#[derive(Clone, Debug)]
pub(super) struct Log {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    bytes: usize,
    dropped_lines: u64,
    open_streams: usize,
}

impl Log {
    pub(super) fn new() -> Self {
        let state = Mutex::default();
        Self {
            shared: Arc::new(Shared { started: Instant::now(), state, changed: Condvar::new() }),
        }
    }

    /// Starts to read `source` until all who can write to it have gone.
    pub(super) fn capture(
        &self,
        stream: Stream,
        source: impl Read + Send + 'static,
    ) -> JoinHandle<()> {
        self.state().open_streams += 1;
        let log = self.clone();
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut bytes = Vec::new();
            // An error while reading a pipe that we own means the same as its end: no further line will come.
            while source.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                log.push(stream, &bytes);
                bytes.clear();
            }
            log.state().open_streams -= 1;
            log.shared.changed.notify_all();
        })
    }

    pub(super) fn lines(&self) -> Vec<Line> {
        self.state().lines.clone()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.state().lines.len())
    }

    pub(super) fn wait(
        &self,
        from: Mark,
        mut wanted: impl FnMut(&str) -> bool,
        within: Duration,
    ) -> Result<Line, Missing> {
        let deadline = Instant::now() + within;
        let mut next = from.0;
        let mut state = self.state();
        loop {
            while let Some(line) = state.lines.get(next) {
                next += 1;
                if wanted(&line.text) {
                    return Ok(line.clone());
                }
            }
            if state.open_streams == 0 {
                return Err(Missing::Ended);
            }
            state = self.wait_change(state, deadline).ok_or(Missing::Late)?;
        }
    }

    /// Waits until both streams have ended; false when that did not happen in time.
    pub(super) fn wait_end(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut state = self.state();
        while state.open_streams > 0 {
            match self.wait_change(state, deadline) {
                Some(guard) => state = guard,
                None => return false,
            }
        }
        true
    }

    fn wait_change<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Instant,
    ) -> Option<MutexGuard<'a, State>> {
        let left = deadline.checked_duration_since(Instant::now())?;
        let waited = self.shared.changed.wait_timeout(state, left);
        Some(waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    fn push(&self, stream: Stream, bytes: &[u8]) {
        let at = self.shared.started.elapsed();
        let mut state = self.state();
        if state.bytes + bytes.len() > MAX_CAPTURE {
            state.dropped_lines += 1;
            return;
        }
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        state.bytes += bytes.len() + 1;
        let mark = Mark(state.lines.len() + 1);
        let text = String::from_utf8_lossy(bytes).into_owned();
        state.lines.push(Line { at, stream, text, mark });
        drop(state);
        self.shared.changed.notify_all();
    }

    // A test that panicked while it held the lock left whole lines behind, so the log is still right.
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        for line in &state.lines {
            let stream = match line.stream {
                Stream::Out => "out",
                Stream::Err => "err",
            };
            writeln!(f, "{:>9.3} s {stream} | {}", line.at.as_secs_f64(), line.text)?;
        }
        if state.lines.is_empty() {
            writeln!(f, "(no output)")?;
        }
        if state.dropped_lines > 0 {
            writeln!(
                f,
                "({} further lines beyond {MAX_CAPTURE} bytes not kept)",
                state.dropped_lines
            )?;
        }
        Ok(())
    }
}
