//! Parts that close one direction or one of their two sockets, and keep the rest.

use std::fs::File;
use std::future::{pending, poll_fn};
use std::io;
use std::os::fd::AsFd as _;

use portcrew_ipc::lane::{LaneEvent, LaneWorker};
use portcrew_ipc::socket;
use rustix::net::{Shutdown, shutdown};

use crate::join::Rogue;

/// What is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parting {
    /// The channel, for writing.
    HalfChannel,
    /// The same in the middle of a message that has a descriptor.
    CutFrame,
    /// The lane, for writing.
    HalfLane,
    /// The lane.
    Lane,
    /// The channel.
    Channel,
}

impl Parting {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "half-channel" => Self::HalfChannel,
            "cut-frame" => Self::CutFrame,
            "half-lane" => Self::HalfLane,
            "no-lane" => Self::Lane,
            "no-channel" => Self::Channel,
            _ => return None,
        })
    }
}

/// Listens, parts, and waits until the primary has closed what is left; then ends, or not if it is to stay.
pub(crate) async fn part(mut rogue: Rogue, parting: Parting, stays: bool) -> io::Result<()> {
    rogue.listen().await?;
    println!("READY");
    let mut lane = rogue.lane.take();
    match parting {
        Parting::HalfChannel => shutdown(rogue.channel.as_fd(), Shutdown::Write)?,
        Parting::CutFrame => {
            let file = File::open("/dev/null")?;
            let half = br#"{"cmd":"NODE_HANDLE","type":"net.Server","msg":{"cmd":"NODE_CL"#;
            socket::send(rogue.channel.as_fd(), half, &[file.as_fd()])?;
            shutdown(rogue.channel.as_fd(), Shutdown::Write)?;
        }
        Parting::HalfLane => {
            let lane = lane.as_ref().ok_or_else(|| io::Error::other("this part needs a lane"))?;
            shutdown(lane.as_fd(), Shutdown::Write)?;
        }
        Parting::Lane => drop(lane.take()),
        Parting::Channel => {
            drop(rogue);
            let lane = lane.ok_or_else(|| io::Error::other("this part needs a lane"))?;
            wait_for_the_end(lane).await?;
            println!("CLOSED");
            return stay(stays).await;
        }
    }
    rogue.wait_closed().await?;
    drop(lane);
    stay(stays).await
}

async fn stay(stays: bool) -> io::Result<()> {
    if stays { pending().await } else { Ok(()) }
}

/// Keeps nothing of what comes.
async fn wait_for_the_end(mut lane: LaneWorker) -> io::Result<()> {
    let mut offered = Vec::new();
    loop {
        let event = poll_fn(|cx| lane.poll_conns(cx, &mut offered)).await;
        if event.map_err(io::Error::other)? == LaneEvent::Closed {
            return Ok(());
        }
        // Kept open, and not answered: they are the primary's to find.
    }
}
