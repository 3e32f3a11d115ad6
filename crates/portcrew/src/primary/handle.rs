//! One worker, as the primary's user sees it: Node's worker object.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::WorkerId;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::UnboundedSender;

use super::Signal;
use super::command::Command;
use super::node::Inspector;
use crate::Result;
use crate::link::{Bell, Mailbox, talking};
use crate::pipes::Pipes;

/// A worker of this primary. Cheap to clone; it outlives the worker and then says that it is dead.
#[derive(Debug, Clone)]
pub struct WorkerHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) commands: UnboundedSender<Command>,
}

/// Node's `worker.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Started; it has said nothing yet. Node: `none`.
    Started,
    /// It runs and speaks the protocol.
    Online,
    /// It listens.
    Listening,
    /// Its channel is closed.
    Disconnected,
    /// Its process has ended.
    Dead,
}

/// What driver and handles share about one worker.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) id: WorkerId,
    pub(super) pid: u32,
    /// What it was told of its inspector, when it is Node and was asked to have one.
    pub(super) inspector: Option<Inspector>,
    pub(super) mailbox: Arc<Mailbox>,
    status: Mutex<Status>,
}

/// The part that changes.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) state: State,
    pub(super) connected: bool,
    pub(super) exit: Option<ExitStatus>,
    /// Known from the wish to leave on, and from the first of disconnect and exit on.
    pub(super) planned: Option<bool>,
    pipes: Pipes,
}

impl Shared {
    /// `connected`: it has a channel.
    pub(super) fn new(
        id: WorkerId,
        pid: u32,
        inspector: Option<Inspector>,
        pipes: Pipes,
        connected: bool,
    ) -> Self {
        let state = State::Started;
        let status = Status { state, connected, exit: None, planned: None, pipes };
        let mailbox = Mailbox::new(Arc::new(Bell::default()));
        if !connected {
            mailbox.close();
        }
        Self { id, pid, inspector, mailbox, status: Mutex::new(status) }
    }

    /// It is to leave, or wants to. An end that came before was not planned, and stays so.
    pub(super) fn plan_the_end(&self) {
        self.status().planned.get_or_insert(true);
    }

    pub(super) fn has_exited(&self) -> bool {
        self.status().exit.is_some()
    }

    pub(super) fn status(&self) -> MutexGuard<'_, Status> {
        // Nothing panics while it holds this lock.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkerHandle {
    /// Node's `worker.id`.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.shared.id
    }

    /// The process id. After the worker's death it may belong to somebody else: signal with
    /// [`kill`](Self::kill), never with this.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.shared.pid
    }

    /// Node's `worker.state`. The last of disconnect and exit wins.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.status().state
    }

    /// Node's `worker.isConnected()`: its channel is open. Never of one that was started with the sockets of
    /// [`Settings::listen`](crate::Settings::listen), which has none.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.status().connected
    }

    /// Node's `worker.isDead()`: its process has ended.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.shared.has_exited()
    }

    /// How its process ended. [`Signal::of`] names the signal.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.shared.status().exit
    }

    /// Node's `worker.exitedAfterDisconnect`: `None` while it lives and nobody wants it to leave; `true` from
    /// [`disconnect`](Self::disconnect) on, and from its own announcement on.
    #[must_use]
    pub fn exited_after_disconnect(&self) -> Option<bool> {
        self.shared.status().planned
    }

    talking!();

    /// Node's `worker.disconnect()`: the worker gets nothing new, closes its listeners, finishes its
    /// connections and closes the channel. Returns at once; nothing here bounds how long it may take.
    ///
    /// Its end counts as planned from here on. It stays in [`Cluster::workers`](crate::Cluster::workers) until it
    /// has gone, as Node's documentation has it (Node itself drops it there at once, and loses sight of who does
    /// not leave).
    pub fn disconnect(&self) {
        self.shared.plan_the_end();
        // A driver that is gone has no workers left.
        let _ = self.commands.send(Command::Disconnect { worker: self.id() });
    }

    /// Node's `worker.process.disconnect()`: closes the channel without a word, once what has been sent is
    /// written as far as the worker reads. To the worker this primary has gone: one of Node exits at once,
    /// with status 0; a Rust one sees [`draining`](crate::Worker::draining) with its channel closed. Nobody
    /// planned that end, so a crew replaces the worker. To let it finish, use
    /// [`disconnect`](Self::disconnect).
    pub fn close_channel(&self) {
        let _ = self.commands.send(Command::CloseChannel { worker: self.id() });
    }

    /// Node's `worker.kill(signal)`. A worker that is dead already gets nothing, whoever has its pid now.
    pub fn kill(&self, signal: Signal) {
        let _ = self.commands.send(Command::Kill { worker: self.id(), signal });
    }

    /// The write end of its standard input, once, when it is [`Piped`](crate::Stdio::Piped). Dropping it is the
    /// end of the input.
    #[must_use]
    pub fn take_stdin(&self) -> Option<pipe::Sender> {
        self.shared.status().pipes.stdin.take()
    }

    /// The read end of its standard output, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stdout(&self) -> Option<pipe::Receiver> {
        self.shared.status().pipes.stdout.take()
    }

    /// The read end of its standard error, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stderr(&self) -> Option<pipe::Receiver> {
        self.shared.status().pipes.stderr.take()
    }

    /// The primary's end of its descriptor of this number, once, when that is
    /// [`Piped`](crate::ExtraFd::Piped). Bytes go both ways.
    #[must_use]
    pub fn take_fd(&self, number: i32) -> Option<UnixStream> {
        self.shared.status().pipes.fds.remove(&number)
    }

    /// The port that its inspector was told to listen on, where Node was asked to have one (see
    /// [`InspectPort`](crate::InspectPort)); 0 where the kernel chooses.
    #[must_use]
    pub fn inspect_port(&self) -> Option<u16> {
        self.shared.inspector.map(|it| it.port)
    }

    fn outlet(&self) -> &Mailbox {
        &self.shared.mailbox
    }

    /// The primary's task drives every channel from the start.
    fn driven(&self) -> Result<&Mailbox> {
        Ok(self.outlet())
    }
}
