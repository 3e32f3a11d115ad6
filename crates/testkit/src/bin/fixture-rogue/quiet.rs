//! Parts that receive connections and keep silent about them, or say too much.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use portcrew_ipc::channel::Incoming;
use portcrew_ipc::lane::{Answer, LaneEvent, Verdict};
use portcrew_ipc::message::{ClusterBody, ClusterMessage, Packet, Reply};
use portcrew_ipc::socket;
use rustix::event::{PollFd, PollFlags, poll};

use crate::join::Rogue;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Keeps the connection and never answers.
    Mute,
    /// Reads a byte of it besides.
    Nibbler,
    /// Answers twice, and closes it.
    Twice,
    /// Does not want it.
    Refuser,
}

/// Receives for ever.
pub(crate) async fn receive(rogue: &mut Rogue, part: Part) -> io::Result<()> {
    rogue.listen().await?;
    println!("READY");
    let mut kept = Vec::new();
    loop {
        let Some(came) = next(rogue).await? else {
            return Ok(());
        };
        for (seq, connection) in came {
            println!("RECEIVED {seq}");
            match part {
                Part::Mute => kept.push(connection),
                Part::Nibbler => {
                    nibble(&connection)?;
                    println!("TOUCHED {seq}");
                    kept.push(connection);
                }
                Part::Twice => {
                    answer(rogue, seq, true).await?;
                    answer(rogue, seq, true).await?;
                }
                Part::Refuser => answer(rogue, seq, false).await?,
            }
        }
    }
}

/// The next connections, by lane or channel; nothing when the primary has closed.
pub(crate) async fn next(rogue: &mut Rogue) -> io::Result<Option<Vec<(u64, OwnedFd)>>> {
    let Some(lane) = &mut rogue.lane else {
        return next_on_channel(rogue).await;
    };
    let mut offered = Vec::new();
    let event = poll_fn(|cx| lane.poll_conns(cx, &mut offered)).await.map_err(io::Error::other)?;
    let came = offered.into_iter().filter_map(|(record, fd)| Some((record.seq, fd?)));
    Ok((event == LaneEvent::Received).then(|| came.collect()))
}

async fn next_on_channel(rogue: &mut Rogue) -> io::Result<Option<Vec<(u64, OwnedFd)>>> {
    loop {
        match rogue.channel.recv().await {
            Some(Ok(Incoming::Cluster {
                message: ClusterMessage { seq: Some(seq), .. },
                handle: Some(handle),
            })) => {
                return Ok(Some(vec![(seq, handle.fd)]));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(io::Error::other(error)),
            None => return Ok(None),
        }
    }
}

pub(crate) async fn answer(rogue: &mut Rogue, seq: u64, accepted: bool) -> io::Result<()> {
    if let Some(lane) = &mut rogue.lane {
        let verdict = if accepted { Verdict::Accepted } else { Verdict::Refused };
        let answer = Answer { seq, verdict };
        lane.try_answer(&[answer]).map_err(io::Error::other)?;
        return Ok(());
    }
    let body = ClusterBody::Reply(Reply::accepted(accepted));
    let message = ClusterMessage { seq: None, ack: Some(seq), body };
    rogue.channel.send(&Packet::Cluster(message), None).await
}

fn nibble(connection: &OwnedFd) -> io::Result<()> {
    poll(&mut [PollFd::new(connection, PollFlags::IN)], None)?;
    socket::recv(connection.as_fd(), &mut [0; 1]).map(drop)
}
