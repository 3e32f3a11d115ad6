//! The parts that come to one point of the conversation, and die there or stand still.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use portcrew_ipc::channel::Incoming;
use portcrew_ipc::message::{ClusterBody, ClusterMessage};
use portcrew_ipc::socket;
use portcrew_testkit::faults::{Point, Writes};
use portcrew_testkit::fixture::{answer_of, tell};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, sockopt};
use rustix::process::{Signal, getpid, kill_process};
use serde_json::json;

use crate::join::Rogue;
use crate::quiet::{answer, next};

/// What is done at the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It kills itself.
    Die,
    /// It tells that it is there, and stands still.
    Stand,
}

/// Comes to `point` with the first connections that it is offered.
pub(crate) async fn come_to(rogue: &mut Rogue, point: Point, then: Then) -> io::Result<()> {
    // Kept open, whatever is done with them.
    let _kept = match point {
        Point::Starting => Vec::new(),
        Point::Offered => {
            rogue.listen_and_read_no_further().await?;
            let offers = rogue.lane.as_ref().map_or(rogue.channel.as_fd(), |lane| lane.as_fd());
            poll(&mut [PollFd::new(&offers, PollFlags::IN)], None)?;
            Vec::new()
        }
        Point::Received
        | Point::Peeked
        | Point::Read
        | Point::Corked
        | Point::Part
        | Point::Whole
        | Point::Draining
        | Point::Taken
        | Point::TakenPart
        | Point::TakenWhole => {
            rogue.listen().await?;
            receive(rogue, point).await?
        }
    };
    match then {
        Then::Die => kill_process(getpid(), Signal::KILL)?,
        Then::Stand => tell("at", &json!({ "point": point.name() })),
    }
    if point == Point::Draining {
        until_told(rogue).await?;
    }
    std::future::pending().await
}

async fn receive(rogue: &mut Rogue, point: Point) -> io::Result<Vec<OwnedFd>> {
    let mut kept = Vec::new();
    for (seq, connection) in next(rogue).await?.unwrap_or_default() {
        if point.is_answered() {
            answer(rogue, seq, true).await?;
        }
        touch(connection.as_fd(), point, rogue.id)?;
        kept.push(connection);
    }
    Ok(kept)
}

fn touch(connection: BorrowedFd<'_>, point: Point, worker: u32) -> io::Result<()> {
    let whole = answer_of(worker);
    let part = &whole[..whole.len() / 2];
    match point.writes() {
        Writes::Nothing => {}
        Writes::Corked => {
            sockopt::set_tcp_cork(connection, true)?;
            socket::send(connection, part.as_bytes(), &[])?;
        }
        Writes::Part => {
            read_all(connection)?;
            socket::send(connection, part.as_bytes(), &[])?;
        }
        Writes::Whole => {
            read_all(connection)?;
            socket::send(connection, whole.as_bytes(), &[])?;
        }
    }
    match point {
        Point::Peeked => read(connection, &mut [0; 64], RecvFlags::PEEK).map(drop),
        Point::Read => read(connection, &mut [0; 1], RecvFlags::empty()).map(drop),
        _ => Ok(()),
    }
}

/// Else its end would be a reset, and what was written might not arrive.
fn read_all(connection: BorrowedFd<'_>) -> io::Result<()> {
    while read(connection, &mut [0; 512], RecvFlags::empty())? > 0 {}
    Ok(())
}

/// 0 also when nothing is there.
fn read(connection: BorrowedFd<'_>, into: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
    match rustix::net::recv(connection, into, flags | RecvFlags::DONTWAIT) {
        Ok((count, _)) => Ok(count),
        Err(Errno::AGAIN) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

/// Reads its channel until the primary tells it to leave.
async fn until_told(rogue: &mut Rogue) -> io::Result<()> {
    while let Some(incoming) = rogue.channel.recv().await {
        let Ok(Incoming::Cluster { message: ClusterMessage { body, .. }, .. }) = incoming else {
            continue;
        };
        if body == ClusterBody::Disconnect {
            tell("told", &json!({}));
        }
    }
    Ok(())
}
