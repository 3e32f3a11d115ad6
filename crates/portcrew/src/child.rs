//! A child with a channel that is no worker: Node's `child_process.fork`.

use std::fmt;
use std::future::{Future, poll_fn};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use portcrew_ipc::process::Process;
use portcrew_ipc::spawn;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::runtime::Handle as Runtime;
use tokio::sync::watch;

use crate::link::{Mailbox, Peer, Received, talking};
use crate::pipes::Pipes;
use crate::primary::plain_child;
use crate::{Error, Result, Settings, Signal};

/// How long the last words of a dead child are waited for: something that it started may hold its channel
/// open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a killed child may take to be gone, between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// A process that this one started and talks with: any program that speaks Node's channel, as Node itself,
/// or one that finds its [`Parent`](crate::Parent) by [`role`](crate::role). It gets no connections but those
/// that it is sent.
///
/// Cheap to clone. Dropping all clones closes the channel, once what was sent is written; the child lives on
/// until it ends by itself, as Node programs do when they are disconnected.
///
/// ```no_run
/// # async fn run() -> portcrew::Result<()> {
/// use portcrew::{Child, Received, Settings};
///
/// let child = Child::spawn(Settings::program("node", ["child.js"]))?;
/// child.send("hello")?;
/// while let Some(received) = child.recv().await {
///     if let Received::Message { message, .. } = received {
///         println!("it says {}", message.as_str());
///     }
/// }
/// println!("it ended: {}", child.wait().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Child {
    peer: Peer,
    body: Arc<Body>,
}

/// The process.
struct Body {
    pid: u32,
    process: Arc<Mutex<Process>>,
    pipes: Mutex<Pipes>,
    end: watch::Receiver<End>,
}

/// Whether it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Lives,
    Ended(ExitStatus),
    /// Other code in this process has waited for it, and nobody knows how it ended.
    Lost,
}

impl Child {
    /// Starts a process with a channel. Of the settings those about the program, its surroundings and its
    /// standard streams count; those about listeners and crews mean nothing here.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting that cannot be; [`Error::Spawn`] with the path and the reason when the
    /// program cannot be started; [`Error::Io`] outside
    /// a tokio runtime, or when the process cannot be watched: then it has been killed.
    ///
    /// # Panics
    ///
    /// Inside a runtime that was built without time or without IO.
    pub fn spawn(settings: Settings) -> Result<Self> {
        let no_runtime = |error| {
            Error::io("start a child; it needs a tokio runtime")(std::io::Error::other(error))
        };
        let runtime = Runtime::try_current().map_err(no_runtime)?;
        // A runtime without time panics here, while there is no process yet.
        drop(tokio::time::sleep(Duration::ZERO));
        let mut spawned = spawn::spawn(&plain_child(settings)?).map_err(Error::Spawn)?;
        let watched = spawned.process.register().and_then(|()| Pipes::of(&mut spawned));
        let process = spawned.process;
        // Its channel was asked for.
        let channel = spawned.channel.ok_or(Error::Disconnected);
        let (pipes, peer) = match (watched, channel) {
            (Ok(pipes), Ok(channel)) => (pipes, Peer::from_fd(channel)),
            (Err(source), _) => return Err(abandon(process, Error::io("watch a child")(source))),
            (_, Err(error)) => return Err(abandon(process, error)),
        };
        if let Err(error) = peer.start() {
            return Err(abandon(process, error));
        }
        let pid = process.pid();
        let process = Arc::new(Mutex::new(process));
        let (sender, end) = watch::channel(End::Lives);
        runtime.spawn(reap(Arc::clone(&process), peer.closed(), sender));
        let body = Body { pid, process, pipes: Mutex::new(pipes), end };
        Ok(Self { peer, body: Arc::new(body) })
    }

    /// The process id. After the child's end it may belong to somebody else: signal with
    /// [`kill`](Self::kill), never with this.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.body.pid
    }

    /// Whether the channel is open: Node's `subprocess.connected`.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.peer.is_connected()
    }

    talking!();

    /// The next message; `None` after the last, once the channel is closed. Each goes to one caller.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Option<Received> {
        self.peer.recv().await
    }

    /// Closes the channel once everything is written, and waits until the child has closed it too. What it
    /// said before can still be received.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; the channel is closed all the same.
    pub async fn disconnect(&self) {
        self.peer.disconnect().await;
    }

    /// Sends a signal: Node's `subprocess.kill`. A child that is dead already gets nothing, whoever has its pid
    /// now. [`Signal::Kill`] goes to its whole process group.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] for a number without a name, or when the child has become another user's.
    pub fn kill(&self, signal: Signal) -> Result<()> {
        let process = lock(&self.body.process);
        let sent = match signal {
            Signal::Kill => process.signal_group(signal.number()),
            _ => process.signal(signal.number()),
        };
        match sent {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
                Ok(())
            }
            sent => sent.map_err(Error::io("signal a child")),
        }
    }

    /// Waits until the child has ended, and for its last words: whatever it had sent is there to be received
    /// when this resolves. Its pipes may hold more; their end is Node's `close`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when nobody knows how it ended, because other code in this process has waited for it;
    /// [`Error::Disconnected`] when the runtime that watched it has ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn wait(&self) -> Result<ExitStatus> {
        let mut end = self.body.end.clone();
        let end = end.wait_for(|end| *end != End::Lives).await.map(|end| *end);
        match end.map_err(|_| Error::Disconnected)? {
            End::Ended(status) => Ok(status),
            End::Lives | End::Lost => {
                let source = std::io::Error::other("other code has waited for it");
                Err(Error::io("wait for a child")(source))
            }
        }
    }

    /// The write end of its standard input, once, when it is [`Piped`](crate::Stdio::Piped). Dropping it is the
    /// end of the input.
    #[must_use]
    pub fn take_stdin(&self) -> Option<pipe::Sender> {
        lock(&self.body.pipes).stdin.take()
    }

    /// The read end of its standard output, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stdout(&self) -> Option<pipe::Receiver> {
        lock(&self.body.pipes).stdout.take()
    }

    /// The read end of its standard error, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stderr(&self) -> Option<pipe::Receiver> {
        lock(&self.body.pipes).stderr.take()
    }

    /// This end of its descriptor of this number, once, when that is [`Piped`](crate::ExtraFd::Piped). Bytes go
    /// both ways.
    #[must_use]
    pub fn take_fd(&self, number: i32) -> Option<UnixStream> {
        lock(&self.body.pipes).fds.remove(&number)
    }

    fn outlet(&self) -> &Mailbox {
        self.peer.outlet()
    }

    fn driven(&self) -> Result<&Mailbox> {
        self.peer.driven()
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, end) = (self.body.pid, *self.body.end.borrow());
        f.debug_struct("Child").field("pid", &pid).field("end", &end).finish_non_exhaustive()
    }
}

/// Takes the child's status when it has ended, so that it does not stay a zombie, and tells it when its last
/// words were read.
async fn reap(
    process: Arc<Mutex<Process>>,
    closed: impl Future<Output = ()>,
    end: watch::Sender<End>,
) {
    let ended = poll_fn(|cx| match lock(&process).poll_exit(cx) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Ok(status)) => Poll::Ready(End::Ended(status)),
        Poll::Ready(Err(_)) => Poll::Ready(End::Lost),
    });
    let ended = ended.await;
    let _ = tokio::time::timeout(LAST_WORDS, closed).await;
    end.send_replace(ended);
}

/// Ends a child that nobody can watch or talk with.
fn abandon(mut process: Process, error: Error) -> Error {
    let _ = process.signal_group(Signal::Kill.number());
    // It is gone in a moment, and only a wait takes what is left of it. Without a thread it stays a zombie.
    let _ = std::thread::Builder::new().name("portcrew-reap".to_owned()).spawn(move || {
        while matches!(process.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_AGAIN);
        }
    });
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
