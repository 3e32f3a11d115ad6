//! The queue and the thread behind it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::rotation::Rotation;
use super::write::{self, Written};

/// The bounds of one sink.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes that may wait. As many again may be in the hands of the writer.
    pub(crate) queue: usize,
    /// How long nothing may move before the reader counts as stuck.
    pub(crate) stuck_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue: 1024 * 1024, stuck_after: Duration::from_secs(1) }
    }
}

/// The lines that say how many lines are missing where they stand, newline included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    /// Dropped, because nobody read.
    pub(crate) unread: fn(u64) -> Vec<u8>,
    /// Lost, because there was no room for them: the disk was full.
    pub(crate) unwritten: fn(u64) -> Vec<u8>,
}

/// The writing end of the queue; shared by all who write to the descriptor.
#[derive(Debug)]
pub(crate) struct Sink {
    shared: Arc<Shared>,
    limits: Limits,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// The writer waits here for bytes.
    work: Condvar,
    /// `close` waits here for the writer's end.
    ended: Condvar,
    /// `room` waits here for the queue to be taken.
    taken: Notify,
}

#[derive(Debug)]
struct State {
    queue: Vec<u8>,
    /// Lines in `queue`.
    lines: u64,
    /// Lines dropped since the queue was last taken; their place is behind the queue.
    dropped: u64,
    /// Lines dropped since the start.
    lost: u64,
    /// Those among them that the device had no room for, since it last had some.
    unwritten: Unwritten,
    writer: Writer,
    closing: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Unwritten {
    lines: u64,
    /// A line was cut in the middle: the next one does not begin where that ends.
    is_torn: bool,
}

/// What the thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// It waits for bytes.
    Idle,
    /// It is writing, and something moved at this instant.
    Busy { moved: Instant },
    /// It is writing, and nothing moved for longer than the limit.
    Stuck,
    /// The reader has gone away, or the sink was closed: what is written now goes nowhere.
    Ended,
}

impl Sink {
    /// Starts the writer of `fd`.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub(crate) fn new(
        fd: OwnedFd,
        limits: Limits,
        marks: Marks,
        rotation: Option<Rotation>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Vec::new(),
                lines: 0,
                dropped: 0,
                lost: 0,
                unwritten: Unwritten::default(),
                writer: Writer::Idle,
                closing: false,
            }),
            work: Condvar::new(),
            ended: Condvar::new(),
            taken: Notify::new(),
        });
        let writers = Arc::clone(&shared);
        // Detached on purpose: a thread inside a write that never returns could not be joined.
        thread::Builder::new()
            .name("portcrew-output".to_owned())
            .spawn(move || writers.write_all(fd, marks, rotation.as_ref()))?;
        Ok(Self { shared, limits })
    }

    /// Queues bytes that count as so many lines, or drops them when the queue is full. Never blocks.
    pub(crate) fn write(&self, bytes: &[u8], lines: u64) {
        let mut state = self.shared.lock();
        // After the first drop all else is dropped until the queue is taken, so that the gap is in one place. An
        // empty queue takes a line of any length.
        let full = state.dropped > 0
            || (!state.queue.is_empty() && state.queue.len() + bytes.len() > self.limits.queue);
        if full || state.writer == Writer::Ended {
            state.dropped += lines;
            state.lost += lines;
            return;
        }
        state.queue.extend_from_slice(bytes);
        state.lines += lines;
        self.shared.work.notify_one();
    }

    /// Waits until the queue is less than half full, but not for a reader that is stuck or gone.
    ///
    /// Cancel safe: nothing is taken or changed.
    pub(crate) async fn room(&self) {
        loop {
            let taken = self.shared.taken.notified();
            let deadline = {
                let state = self.shared.lock();
                match state.writer {
                    _ if state.queue.len() < self.limits.queue / 2 => return,
                    Writer::Stuck | Writer::Ended => return,
                    // The writer has not yet woken for the queue; it is about to take it.
                    Writer::Idle => Instant::now() + self.limits.stuck_after,
                    Writer::Busy { moved } => moved + self.limits.stuck_after,
                }
            };
            // Either the queue was taken, or the time is up; the loop looks which.
            let _ = tokio::time::timeout_at(deadline.into(), taken).await;
            self.shared.look_whether_stuck(self.limits.stuck_after);
        }
    }

    /// Lines dropped since the start, for whatever reason.
    pub(crate) fn lost(&self) -> u64 {
        self.shared.lock().lost
    }

    /// Writes what is queued and ends the writer; waits no longer than `limit`. Blocks: for the end of a program.
    ///
    /// Gives the number of lines that were lost since the start, those that could not be written now included.
    pub(crate) fn close(&self, limit: Duration) -> u64 {
        let mut state = self.shared.lock();
        state.closing = true;
        self.shared.work.notify_one();
        let (state, _) = self
            .shared
            .ended
            .wait_timeout_while(state, limit, |s| s.writer != Writer::Ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.lost + state.lines
    }
}

impl State {
    /// There was room for this part of a batch of so many lines.
    fn had_no_room(&mut self, written: &[u8], lines: u64) {
        let whole = written.iter().filter(|byte| **byte == b'\n').count();
        let lost = lines.saturating_sub(whole as u64);
        self.lost += lost;
        self.unwritten.lines += lost;
        self.unwritten.ended_with(written);
    }
}

impl Unwritten {
    /// There was room for this part of something: the device has that now, and no more.
    fn ended_with(&mut self, written: &[u8]) {
        if let Some(last) = written.last() {
            self.is_torn = *last != b'\n';
        }
    }

    /// What stands in their place; nothing where none is missing.
    fn mark(self, marks: Marks) -> Vec<u8> {
        let mut mark = if self.is_torn { b"\n".to_vec() } else { Vec::new() };
        if self.lines > 0 {
            mark.extend_from_slice(&(marks.unwritten)(self.lines));
        }
        mark
    }
}

impl Shared {
    /// A poisoned lock is taken all the same: the state is whole between any two statements here, and output must
    /// not be what ends a crew.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_whether_stuck(&self, stuck_after: Duration) {
        let mut state = self.lock();
        if let Writer::Busy { moved } = state.writer {
            if moved.elapsed() >= stuck_after {
                state.writer = Writer::Stuck;
            }
        }
    }

    /// The thread: takes the whole queue, writes it, and comes back for more.
    fn write_all(&self, mut fd: OwnedFd, marks: Marks, rotation: Option<&Rotation>) {
        while let Some((bytes, lines)) = self.take(marks) {
            self.taken.notify_waiters();
            // Apart from the batch: what was said is not said again, and what was not stays to be said.
            let mark = self.lock().unwritten.mark(marks);
            let marked = write::write(&fd, &mark, || self.moved());
            let written = match marked {
                Written::All => {
                    self.lock().unwritten = Unwritten::default();
                    write::write(&fd, &bytes, || self.moved())
                }
                Written::Lost { count } => {
                    // The whole mark is said again, and behind a part of it from a line of its own on.
                    self.lock().unwritten.ended_with(&mark[..count]);
                    Written::Lost { count: 0 }
                }
                Written::ReaderGone => Written::ReaderGone,
            };
            match written {
                Written::All => {}
                Written::Lost { count } => self.lock().had_no_room(&bytes[..count], lines),
                Written::ReaderGone => {
                    self.lock().lost += lines;
                    break;
                }
            }
            if let Some(rotation) = rotation {
                rotation.turn(&mut fd);
            }
        }
        let mut state = self.lock();
        state.writer = Writer::Ended;
        state.lost += std::mem::take(&mut state.lines);
        state.queue = Vec::new();
        drop(state);
        self.ended.notify_all();
        self.taken.notify_waiters();
    }

    /// Waits for bytes; `None` when the sink is closed and all is written.
    fn take(&self, marks: Marks) -> Option<(Vec<u8>, u64)> {
        let mut state = self.lock();
        while state.queue.is_empty() && state.dropped == 0 {
            if state.closing {
                return None;
            }
            state.writer = Writer::Idle;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writer = Writer::Busy { moved: Instant::now() };
        let mut bytes = std::mem::take(&mut state.queue);
        let lines = std::mem::take(&mut state.lines);
        match std::mem::take(&mut state.dropped) {
            0 => {}
            count => bytes.extend_from_slice(&(marks.unread)(count)),
        }
        Some((bytes, lines))
    }

    fn moved(&self) {
        self.lock().writer = Writer::Busy { moved: Instant::now() };
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{MARKS, pipe, read_all};
    use super::*;

    const HANG: Duration = Duration::from_secs(20);

    fn small() -> Limits {
        Limits { queue: 1_000, stuck_after: Duration::from_millis(20) }
    }

    /// A pipe that holds no more: the writer thread is inside a write that does not end.
    fn stuck(limits: Limits) -> (OwnedFd, Arc<Sink>) {
        let (reader, sink) = pipe(limits);
        let batch = [vec![b'.'; 4 * 1024 * 1024], b"\n".to_vec()].concat();
        sink.write(&batch, 1);
        // Waiting on the writer's own report that it took the batch; the pipe holds far less than the batch.
        while !matches!(sink.shared.lock().writer, Writer::Busy { .. } | Writer::Stuck) {
            thread::yield_now();
        }
        (reader, sink)
    }

    fn with_runtime<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(HANG, future).await.expect("no hang") })
    }

    #[test]
    fn everything_written_before_the_close_is_read_in_order() {
        let (reader, sink) = pipe(Limits::default());
        let reader = read_all(reader);
        let expected: Vec<String> = (0..1_000).map(|n| format!("line {n}\n")).collect();
        for line in &expected {
            sink.write(line.as_bytes(), 1);
        }
        assert_eq!(sink.close(HANG), 0);
        assert_eq!(reader.join().unwrap(), expected.concat().as_bytes());
    }

    #[test]
    fn a_stuck_reader_costs_counted_lines_and_the_gap_is_marked_where_it_is() {
        let (reader, sink) = stuck(small());
        for n in 0..1_000 {
            sink.write(format!("line {n:3}\n").as_bytes(), 1);
        }
        let lost = sink.lost();
        assert_eq!(lost, 1_000 - 1_000 / 9, "nine bytes each into a queue of a thousand");

        let reader = read_all(reader);
        assert_eq!(sink.close(HANG), lost);
        let text = String::from_utf8(reader.join().unwrap()).unwrap();
        assert!(
            text.ends_with(&format!("line 110\n({lost} dropped)\n")),
            "{}",
            &text[text.len() - 60..]
        );
    }

    #[test]
    fn writing_goes_on_after_a_gap() {
        let (reader, sink) = stuck(small());
        for _ in 0..200 {
            sink.write(b"before the gap\n", 1);
        }
        let reader = read_all(reader);
        with_runtime(sink.room());
        while sink.shared.lock().dropped > 0 {
            thread::yield_now();
        }
        sink.write(b"after\n", 1);
        sink.close(HANG);
        let text = String::from_utf8(reader.join().unwrap()).unwrap();
        assert!(text.ends_with(" dropped)\nafter\n"));
    }

    #[test]
    fn room_does_not_wait_for_a_reader_that_is_stuck() {
        let (_reader, sink) = stuck(small());
        sink.write(&[b'x'; 900], 1);
        with_runtime(sink.room());
        assert_eq!(sink.shared.lock().writer, Writer::Stuck);
        // Known to be stuck now: the next one finds that at once.
        with_runtime(sink.room());
    }

    #[test]
    fn room_waits_for_a_reader_that_is_slow_so_that_nothing_is_lost() {
        let (reader, sink) = pipe(Limits { queue: 10_000, stuck_after: HANG });
        let reader = read_all(reader);
        with_runtime(async {
            for _ in 0..2_000 {
                sink.room().await;
                sink.write(&[b'x'; 4_096], 1);
            }
        });
        assert_eq!(sink.close(HANG), 0);
        assert_eq!(reader.join().unwrap().len(), 2_000 * 4_096);
    }

    #[test]
    fn a_reader_that_goes_away_ends_the_writing_and_nothing_else() {
        let (reader, sink) = pipe(Limits::default());
        drop(reader);
        sink.write(b"into the void\n", 1);
        assert_eq!(sink.close(HANG), 1);
        sink.write(b"more\n", 1);
        with_runtime(sink.room());
        assert_eq!(sink.lost(), 2);
    }

    #[test]
    fn close_gives_up_on_a_stuck_reader() {
        let (_reader, sink) = stuck(small());
        sink.write(b"never read\n", 1);
        assert_eq!(sink.close(Duration::from_millis(20)), 1);
    }

    #[test]
    fn a_non_blocking_descriptor_loses_nothing() {
        use rustix::fs::{OFlags, fcntl_setfl};
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
        let sink = Sink::new(writer, Limits::default(), MARKS, None).unwrap();
        let batch = vec![b'x'; 500_000];
        sink.write(&batch, 1);
        let reader = read_all(reader);
        assert_eq!(sink.close(HANG), 0);
        assert_eq!(reader.join().unwrap(), batch);
    }

    #[test]
    fn what_there_was_no_room_for_is_counted_and_said_from_a_line_of_its_own_on() {
        let (_reader, sink) = pipe(Limits::default());
        let mut state = sink.shared.lock();
        assert_eq!(state.unwritten.mark(MARKS), b"");
        state.had_no_room(b"one\ntwo\nthr", 5);
        assert_eq!((state.lost, state.unwritten.mark(MARKS)), (3, b"\n(3 lost)\n".to_vec()));
        // Nor was there room for a mark.
        state.had_no_room(b"", 4);
        assert_eq!((state.lost, state.unwritten.mark(MARKS)), (7, b"\n(7 lost)\n".to_vec()));
        state.had_no_room(b"", 0);
        assert_eq!(state.lost, 7);
    }

    #[test]
    fn a_mark_that_was_cut_is_said_again_from_a_line_of_its_own_on() {
        let mut unwritten = Unwritten { lines: 3, is_torn: false };
        for (written, again) in [
            (&b""[..], &b"(3 lost)\n"[..]),
            (b"(3 lo", b"\n(3 lost)\n"),
            (b"", b"\n(3 lost)\n"),
            (b"\n", b"(3 lost)\n"),
            (b"(3 lost)", b"\n(3 lost)\n"),
        ] {
            unwritten.ended_with(written);
            assert_eq!(unwritten.mark(MARKS), again);
        }
    }

    #[test]
    fn a_full_device_loses_lines_but_keeps_the_sink() {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let sink = Sink::new(full.into(), Limits::default(), MARKS, None).unwrap();
        sink.write(b"one\n", 1);
        while sink.lost() < 1 {
            thread::yield_now();
        }
        sink.write(b"two\n", 1);
        assert_eq!(sink.close(HANG), 2);
    }
}
