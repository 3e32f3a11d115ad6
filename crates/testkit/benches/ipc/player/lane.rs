//! Descriptors by our lane: a primary that offers as many as there is room for, a worker that takes and closes them.

use std::fs::File;
use std::future::poll_fn;
use std::os::fd::AsFd;
use std::time::Instant;

use portcrew_ipc::lane::{
    Answer, ConnRecord, LANE_BATCH, LaneEvent, LanePrimary, LaneWorker, Sent, Verdict,
};
use portcrew_ipc::socket::pair_seqpacket;

use super::{Player, worker};
use crate::Failure;
use crate::order::{Done, How, Order, READY};

/// The listener of a slice's last one, which is answered.
const LAST: u32 = u32::MAX;

/// Messages between two looks at the clock.
const BURST: usize = 16;

pub(super) fn send() -> Result<(), Failure> {
    let (near, far) = pair_seqpacket()?;
    let _worker = worker::start(Player::LaneWorker, far)?;
    runtime()?.block_on(async {
        let mut lane = LanePrimary::from_fd(near)?;
        super::say(READY)?;
        for order in Order::all() {
            slice(&mut lane, order?).await?.say()?;
        }
        Ok(())
    })
}

async fn slice(lane: &mut LanePrimary, order: Order) -> Result<Done, Failure> {
    let How::Descriptors(each) = order.how else { return Err("no lane sends that".into()) };
    let file = File::open("/dev/null")?;
    let fds = [file.as_fd(); LANE_BATCH];
    let records = [ConnRecord { seq: 0, listener: 0 }; LANE_BATCH];
    let (records, fds) = (&records[..each], &fds[..each]);
    let (begun, mut messages) = (Instant::now(), 0);
    while begun.elapsed() < order.time {
        for _ in 0..BURST {
            offer(lane, records, fds).await?;
        }
        messages += BURST;
    }
    offer(lane, &[ConnRecord { seq: 1, listener: LAST }], &fds[..1]).await?;
    let (mut answers, mut ended, mut beats) = (Vec::new(), Vec::new(), Vec::new());
    while answers.is_empty() {
        poll_fn(|cx| lane.poll_answers(cx, &mut answers, &mut ended, &mut beats)).await?;
    }
    Ok(Done { count: (messages * each) as u64, elapsed: begun.elapsed() })
}

async fn offer(
    lane: &mut LanePrimary,
    records: &[ConnRecord],
    fds: &[std::os::fd::BorrowedFd<'_>],
) -> Result<(), Failure> {
    loop {
        match lane.try_offer(records, fds)? {
            Sent::All => return Ok(()),
            Sent::WouldBlock => poll_fn(|cx| lane.poll_writable(cx)).await?,
            Sent::TooManyInFlight => return Err("too many descriptors are on their way".into()),
        }
    }
}

pub(super) fn receive() -> Result<(), Failure> {
    runtime()?.block_on(async {
        let mut lane = LaneWorker::from_fd(worker::socket()?)?;
        let mut conns = Vec::new();
        while poll_fn(|cx| lane.poll_conns(cx, &mut conns)).await? == LaneEvent::Received {
            for (record, _closed) in conns.drain(..) {
                if record.listener == LAST {
                    lane.try_answer(&[Answer { seq: record.seq, verdict: Verdict::Accepted }])?;
                }
            }
        }
        Ok(())
    })
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
