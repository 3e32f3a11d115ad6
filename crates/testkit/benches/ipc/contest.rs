//! The pairs of processes that send to each other.

use std::time::Duration;

use portcrew_testkit::node::Node;
use portcrew_testkit::process::{Process, Program, proc_fs};

use crate::Failure;
use crate::order::{Done, How, Order, READY};
use crate::player::Player;

/// How long a pair may take until it is up, and until it answers beyond the slice.
const PATIENCE: Duration = Duration::from_secs(20);

/// A pair that is up. Dropping it ends both.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) who: Who,
    process: Process,
    worker: u32,
}

/// Who sends, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// `sendmsg` and `recvmsg` in a loop.
    Kernel,
    /// Our lane.
    Lane,
    /// `fork` and `send` of Node.
    Node,
    /// A cluster with its worker.
    Crew,
    /// Lines written and read in a loop.
    Bare,
}

/// What one slice brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) done: Done,
    pub(crate) primary: Duration,
    pub(crate) worker: Duration,
}

/// Starts all that can be had.
pub(crate) fn start(node: Option<&Node>) -> Result<Vec<Pair>, Failure> {
    let exe = std::env::current_exe()?;
    let own = |player: Player| Program::new(&exe).name(player.word()).args(["play", player.word()]);
    let mut pairs = vec![
        Pair::start(Who::Kernel, own(Player::Sendmsg))?,
        Pair::start(Who::Lane, own(Player::Lane))?,
        Pair::start(Who::Bare, own(Player::Bare))?,
        Pair::start(Who::Crew, own(Player::Crew))?,
    ];
    if let Some(node) = node {
        pairs.push(Pair::start(Who::Node, node.fixture("messages.js"))?);
    }
    Ok(pairs)
}

impl Pair {
    fn start(who: Who, program: Program) -> Result<Self, Failure> {
        let process = program.stdin_pipe().start();
        process.wait_line(|line| line == READY, PATIENCE);
        let [worker] = proc_fs::descendants(process.pid())[..] else {
            return Err(format!("{who:?} has not started one worker").into());
        };
        Ok(Self { who, process, worker })
    }

    pub(crate) fn slice(&mut self, how: How, time: Duration) -> Result<Slice, Failure> {
        let cpu = |pid| proc_fs::cpu_time(pid);
        let (primary, worker) = (cpu(self.process.pid())?, cpu(self.worker)?);
        let mark = self.process.mark();
        self.process.write_line(&Order { how, time }.to_string());
        let line = self.process.wait_line_after(mark, Done::is_said_by, time + PATIENCE);
        Ok(Slice {
            done: line.text.parse()?,
            primary: cpu(self.process.pid())?.saturating_sub(primary),
            worker: cpu(self.worker)?.saturating_sub(worker),
        })
    }
}
