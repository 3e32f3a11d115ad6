//! The primary's end of a lane: offers connections, asks for beats, collects answers, ends and beats.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};

use super::record::{
    Answer, Beat, ConnRecord, Ended, Entry, LANE_BATCH, buffer, decode, encode, kind,
};
use super::{LaneDrained, LaneEvent};
use crate::error::{LaneError, LaneOffence};
use crate::reactor::AsyncOwnedFd;
use crate::socket::{self, Received};

/// Most records read by one [`poll_answers`](LanePrimary::poll_answers), so that one worker cannot hold up
/// the others.
const RECORDS_PER_POLL: usize = 16;

/// The primary's end of a lane. All methods belong to one task.
#[derive(Debug)]
pub struct LanePrimary {
    io: AsyncOwnedFd,
}

/// What became of a batch. It went whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It is on its way.
    All,
    /// The worker's buffer is full: wait for [`poll_writable`](LanePrimary::poll_writable).
    WouldBlock,
    /// This user has too many descriptors on their way (`ETOOMANYREFS`), to this worker or to others. Nothing
    /// reports when that ends: answers do, or a timer.
    TooManyInFlight,
}

impl LanePrimary {
    /// Takes one end of a [`pair_seqpacket`](crate::socket::pair_seqpacket).
    ///
    /// # Errors
    /// There is no tokio runtime, or the descriptor cannot be polled.
    ///
    /// # Panics
    /// The current runtime was built without its IO driver.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { io: AsyncOwnedFd::new(fd)? })
    }

    /// Offers up to [`LANE_BATCH`] connections, `fds[i]` being that of `records[i]`, in one system call. The
    /// worker gets duplicates.
    ///
    /// # Errors
    /// [`BadBatch`](LaneError::BadBatch) for an empty, too long or uneven batch;
    /// [`PeerGone`](LaneError::PeerGone) when the worker has closed its end: read its last answers.
    pub fn try_offer(
        &mut self,
        records: &[ConnRecord],
        fds: &[BorrowedFd<'_>],
    ) -> Result<Sent, LaneError> {
        if records.is_empty() || records.len() > LANE_BATCH || records.len() != fds.len() {
            return Err(LaneError::BadBatch);
        }
        let mut room = buffer();
        let record = encode(records, &mut room);
        match self.io.try_write_io(|socket| socket::send(socket, record, fds)) {
            // A record goes whole, so the count says nothing new.
            Ok(_) => Ok(Sent::All),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Sent::WouldBlock),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::TOOMANYREFS) => {
                Ok(Sent::TooManyInFlight)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks whether the worker's runtime turns. One that knows the question sends it back.
    ///
    /// # Errors
    /// [`PeerGone`](LaneError::PeerGone) as of [`try_offer`](Self::try_offer).
    pub fn try_ask(&mut self, question: Beat) -> Result<Sent, LaneError> {
        let mut room = buffer();
        let record = encode(&[question], &mut room);
        match self.io.try_write_io(|socket| socket::send(socket, record, &[])) {
            Ok(_) => Ok(Sent::All),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Sent::WouldBlock),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until there may be room for another batch.
    ///
    /// # Errors
    /// There is no descriptor or no memory to wait with: try again later. Or the runtime is shutting down.
    pub fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_write_ready(cx)
    }

    /// Appends the answers that are there to `answers`, the ends that were told to `ended`, and the questions that came
    /// back to `beats`, up to a bound.
    ///
    /// The answers are to be looked at first: one of the ends may be that of a connection which is answered among them.
    ///
    /// # Errors
    /// [`PeerMisbehaved`](LaneError::PeerMisbehaved) for a record that breaks the layout. What was appended before it
    /// stands.
    pub fn poll_answers(
        &self,
        cx: &mut Context<'_>,
        answers: &mut Vec<Answer>,
        ended: &mut Vec<Ended>,
        beats: &mut Vec<Beat>,
    ) -> Poll<Result<LaneEvent, LaneError>> {
        for records in 0..RECORDS_PER_POLL {
            let mut room = buffer();
            let received =
                match self.io.poll_read_io(cx, |fd| socket::recv_past_reset(fd, &mut room)) {
                    Poll::Ready(received) => received?,
                    Poll::Pending if records > 0 => break,
                    Poll::Pending => return Poll::Pending,
                };
            // The end is told when it is met again, after the caller has seen what was said before.
            if received.n == 0 && records > 0 {
                break;
            }
            if take(&received, &room, answers, ended, beats)? == LaneEvent::Closed {
                return Poll::Ready(Ok(LaneEvent::Closed));
            }
        }
        Poll::Ready(Ok(LaneEvent::Received))
    }

    /// Appends all answers, ends and beats that are there, without waiting and without a bound on their number: for a worker
    /// that is dead, whose last words count.
    ///
    /// # Errors
    /// As [`poll_answers`](Self::poll_answers).
    pub fn try_answers(
        &self,
        answers: &mut Vec<Answer>,
        ended: &mut Vec<Ended>,
        beats: &mut Vec<Beat>,
    ) -> Result<LaneDrained, LaneError> {
        loop {
            let mut room = buffer();
            match self.io.try_read_io(|fd| socket::recv_past_reset(fd, &mut room)) {
                Ok(received) => match take(&received, &room, answers, ended, beats)? {
                    LaneEvent::Received => {}
                    LaneEvent::Closed => return Ok(LaneDrained::Closed),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(LaneDrained::Empty);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Ends the lane both ways for whoever holds its other end. What the worker had said before is still to be read,
    /// and behind it comes [`Closed`](LaneEvent::Closed), whether or not the worker closes its end.
    ///
    /// # Errors
    /// Never in practice: the worker being gone already is success.
    pub fn shutdown(&mut self) -> io::Result<()> {
        match shutdown(&self.io, Shutdown::Both) {
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

impl AsFd for LanePrimary {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

fn take(
    received: &Received,
    room: &[u8],
    answers: &mut Vec<Answer>,
    ended: &mut Vec<Ended>,
    beats: &mut Vec<Beat>,
) -> Result<LaneEvent, LaneError> {
    if received.n == 0 {
        return Ok(LaneEvent::Closed);
    }
    // Nothing that a worker says carries a descriptor; those that came are closed with `received`.
    if !received.fds.is_empty() || received.truncated {
        return Err(LaneError::PeerMisbehaved(LaneOffence::Descriptors));
    }
    if received.cut {
        return Err(LaneError::PeerMisbehaved(LaneOffence::Length));
    }
    let record = &room[..received.n];
    let decoded = match kind(record) {
        Some(Ended::KIND) => decode(record, ended),
        Some(Beat::KIND) => decode(record, beats),
        // Whatever else it is, it is an answer or an offence.
        Some(_) | None => decode(record, answers),
    };
    decoded.map_err(LaneError::PeerMisbehaved)?;
    Ok(LaneEvent::Received)
}
