//! What the workers print: from their pipes to the command's own streams, by one task per pipe.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use portcrew::{WorkerHandle, WorkerId};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::tail::Tail;
use crate::output::{Lines, Report, Stream};

/// Bytes that are read at once.
const READ: usize = 16 * 1024;

/// How long the end of a crew waits until what its workers wrote is passed on. Nobody writes any more then but a
/// grandchild that kept the pipe; what comes beyond is not printed.
const PASS_ON_WITHIN: Duration = Duration::from_secs(2);

/// How long a verdict waits for the last words of the worker that it is about.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);

/// Ended workers whose last words are kept.
const MOST_ENDED: usize = 64;

/// The outputs of all workers.
#[derive(Debug)]
pub(super) struct Outputs {
    workers: BTreeMap<WorkerId, Output>,
    /// Says that every worker has ended.
    over: watch::Sender<bool>,
}

/// Both pipes of one worker.
#[derive(Debug)]
struct Output {
    tasks: Vec<JoinHandle<()>>,
    tail: Arc<Tail>,
}

impl Outputs {
    pub(super) fn new() -> Self {
        Self { workers: BTreeMap::new(), over: watch::Sender::new(false) }
    }

    /// Passes on what a new worker prints, until its pipes end.
    pub(super) fn attach(&mut self, worker: &WorkerHandle, report: &Report) {
        self.forget_some();
        let tail = Arc::<Tail>::default();
        let pipes =
            [(worker.take_stdout(), Stream::Stdout), (worker.take_stderr(), Stream::Stderr)];
        let mut tasks = Vec::new();
        for (pipe, stream) in pipes {
            let Some(pipe) = pipe else { continue };
            // Numbers begin with 1, colours with 0.
            let turn = worker.id().0.saturating_sub(1) as usize;
            let lines = report.lines(&worker.id(), turn, stream);
            let reader = Reader { lines, tail: Arc::clone(&tail) };
            tasks.push(tokio::spawn(reader.pass_on(pipe, self.over.subscribe())));
        }
        self.workers.insert(worker.id(), Output { tasks, tail });
    }

    /// The end of what a worker has printed so far, to be read later.
    pub(super) fn tail(&self, worker: WorkerId) -> Option<Arc<Tail>> {
        self.workers.get(&worker).map(|it| Arc::clone(&it.tail))
    }

    /// The last lines of a worker. If it has ended, those that are still in its pipes are waited for, for a short
    /// time.
    pub(super) async fn last_words(&mut self, worker: WorkerId, has_ended: bool) -> Vec<String> {
        let Some(output) = self.workers.get_mut(&worker) else {
            return Vec::new();
        };
        if has_ended {
            // Too late is as good as never here: what was read until then is what is known.
            let _ = tokio::time::timeout(LAST_WORDS_WITHIN, output.ended()).await;
        }
        output.tail.lines()
    }

    /// Every worker has ended: passes on what is left in the pipes. Bounded, see [`PASS_ON_WITHIN`].
    pub(super) async fn finish(mut self) {
        self.over.send_replace(true);
        let all = async {
            for output in self.workers.values_mut() {
                output.ended().await;
            }
        };
        // Beyond the bound the tasks end with the runtime.
        let _ = tokio::time::timeout(PASS_ON_WITHIN, all).await;
    }

    fn forget_some(&mut self) {
        let has_ended = |output: &Output| output.tasks.iter().all(JoinHandle::is_finished);
        let ended: Vec<_> =
            self.workers.iter().filter(|(_, it)| has_ended(it)).map(|(id, _)| *id).collect();
        for worker in ended.iter().take(ended.len().saturating_sub(MOST_ENDED)) {
            self.workers.remove(worker);
        }
    }
}

impl Output {
    /// Returns when both pipes have ended. Cancel safe.
    async fn ended(&mut self) {
        while let Some(task) = self.tasks.last_mut() {
            // A reader does not panic; if it did, its pipe has ended all the same.
            let _ = task.await;
            self.tasks.pop();
        }
    }
}

/// One pipe's reader.
struct Reader {
    lines: Lines,
    tail: Arc<Tail>,
}

impl Reader {
    async fn pass_on(mut self, pipe: pipe::Receiver, mut over: watch::Receiver<bool>) {
        let mut buffer = vec![0; READ];
        while !*over.borrow_and_update() {
            self.lines.room().await;
            match pipe.try_read(&mut buffer) {
                Ok(0) => return self.lines.finish(),
                Ok(count) => {
                    self.take(&buffer[..count]);
                    // A worker that prints without end does not keep the primary from its other work.
                    tokio::task::yield_now().await;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let ready = tokio::select! {
                        ready = pipe.readable() => ready.is_ok(),
                        changed = over.changed() => changed.is_ok(),
                    };
                    if !ready {
                        return self.lines.finish();
                    }
                }
                Err(_) => return self.lines.finish(),
            }
        }
        self.drain(pipe, &mut buffer).await;
        self.lines.finish();
    }

    /// Reads what a pipe holds and waits for nothing more: who still has its other end is no worker of ours.
    async fn drain(&mut self, pipe: pipe::Receiver, buffer: &mut [u8]) {
        // The kernel is asked, not the runtime, which may not have heard of the last bytes yet.
        let Ok(pipe) = pipe.into_nonblocking_fd() else {
            return;
        };
        loop {
            self.lines.room().await;
            match rustix::io::read(&pipe, &mut *buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => self.take(&buffer[..count]),
            }
            tokio::task::yield_now().await;
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.tail.push(bytes);
        self.lines.feed(bytes);
    }
}
