//! The claim: once, alone, and with nothing left behind for grandchildren.

use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::SocketType;

use super::adopt::adopt;
use super::error::InheritError;
use crate::contract;

/// What a parent left for this process. All descriptors are close-on-exec and non-blocking.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inherited {
    /// The id of a cluster worker; `None` in a child of a plain fork, which has a channel and is a
    /// primary of its own.
    pub worker_id: Option<u32>,
    /// The channel to the parent.
    pub channel: OwnedFd,
    /// The lane, when the parent is portcrew.
    pub lane: Option<OwnedFd>,
    /// How long a worker may go on without its primary, where that said so.
    pub grace: Option<Duration>,
}

static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Takes over the channel that the environment announces and removes every variable of the
/// [contract](crate::contract), so that no grandchild takes this process's place. `None` when
/// there is no channel.
///
/// A `NODE_UNIQUE_ID` without a channel makes no worker. Node makes half of one then, which never
/// hears from a primary; here the variable is removed and the process is a primary. An empty id
/// counts as none, as in Node. A lane without a channel is ignored.
///
/// `LISTEN_FDS` and its companions stay: they are for the program, which reads them by itself, and
/// `LISTEN_PID` keeps grandchildren from believing them.
///
/// # Errors
///
/// See [`InheritError`]. The threads are counted in every process, with a channel or without, so
/// that a claim in the wrong place is noticed on its first run and not first in a worker. The
/// variables are removed also when what they say cannot be used.
pub fn claim() -> Result<Option<Inherited>, InheritError> {
    if CLAIMED.load(Ordering::Acquire) {
        return Err(InheritError::AlreadyClaimed);
    }
    let threads =
        std::fs::read_dir("/proc/self/task").map_err(InheritError::ThreadsUnknown)?.count();
    if threads != 1 {
        return Err(InheritError::ThreadsRunning(threads));
    }
    CLAIMED.store(true, Ordering::Release);
    let announced = Announced::take();
    let Some(channel) = announced.channel else {
        return Ok(None);
    };
    if let Some(mode) = announced.mode.filter(|mode| mode != "json") {
        return Err(InheritError::AdvancedSerialization(mode));
    }
    let worker_id = announced
        .worker_id
        .filter(|id| !id.is_empty())
        .map(|id| number(contract::UNIQUE_ID, id))
        .transpose()?;
    let channel = number(contract::CHANNEL_FD, channel)?;
    let lane = announced.lane.map(|lane| number(contract::LANE_FD, lane)).transpose()?;
    if lane == Some(channel) {
        let reason = "the channel already";
        return Err(InheritError::BadDescriptor {
            variable: contract::LANE_FD,
            fd: channel,
            reason,
        });
    }
    let channel = adopt(contract::CHANNEL_FD, channel, SocketType::STREAM)?;
    let lane = lane
        .map(|lane: RawFd| adopt(contract::LANE_FD, lane, SocketType::SEQPACKET))
        .transpose()?;
    // A number that is none says nothing: the worker is as good as one whom nobody has told.
    let grace = announced.grace.and_then(|it| it.to_str()?.parse().ok());
    Ok(Some(Inherited { worker_id, channel, lane, grace: grace.map(Duration::from_millis) }))
}

/// The variables as they were found.
struct Announced {
    channel: Option<OsString>,
    mode: Option<OsString>,
    worker_id: Option<OsString>,
    lane: Option<OsString>,
    grace: Option<OsString>,
}

impl Announced {
    fn take() -> Self {
        // A plan that is still here was meant for another process than this one.
        drop(take(contract::EXEC_PLAN));
        Self {
            channel: take(contract::CHANNEL_FD),
            mode: take(contract::SERIALIZATION_MODE),
            worker_id: take(contract::UNIQUE_ID),
            lane: take(contract::LANE_FD),
            grace: take(contract::GRACE),
        }
    }
}

/// Reads a variable and removes it. Only [`claim`] gets here, which has counted the threads.
fn take(name: &'static str) -> Option<OsString> {
    let value = std::env::var_os(name)?;
    // SAFETY: `claim` found this thread to be the only one of the process, and calls no code that
    // starts another, so nobody reads or writes the environment at the same time.
    unsafe { std::env::remove_var(name) };
    Some(value)
}

/// A number as Node writes it: decimal digits alone. `parse` by itself would also take a sign.
fn number<N: std::str::FromStr>(
    variable: &'static str,
    value: OsString,
) -> Result<N, InheritError> {
    let digits = value.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse().ok()) {
        Some(number) => Ok(number),
        None => Err(InheritError::BadNumber { variable, value }),
    }
}
