//! The worker's end of a lane: takes connections, answers them in batches, and shows that it still does.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use super::record::{
    Answer, Beat, ConnRecord, Ended, Entry, LANE_BATCH, buffer, decode, encode, kind,
};
use super::{LaneDrained, LaneEvent};
use crate::error::{LaneError, LaneOffence};
use crate::reactor::AsyncOwnedFd;
use crate::socket::{self, Received};

/// The worker's end of a lane. All methods belong to one task.
#[derive(Debug)]
pub struct LaneWorker {
    io: AsyncOwnedFd,
    /// Kept for its memory.
    records: Vec<ConnRecord>,
    /// The last question of the primary that was not sent back yet. It asks again only when it was.
    question: Option<Beat>,
}

/// A connection, or the news that its descriptor was lost because this process has too many open. That one
/// is to be answered with [`Verdict::Lost`](super::Verdict::Lost).
pub type Offered = (ConnRecord, Option<OwnedFd>);

impl LaneWorker {
    /// Takes one end of a [`pair_seqpacket`](crate::socket::pair_seqpacket).
    ///
    /// # Errors
    /// There is no tokio runtime, or the descriptor cannot be polled.
    ///
    /// # Panics
    /// The current runtime was built without its IO driver.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        Ok(Self { io: AsyncOwnedFd::new(fd)?, records: Vec::new(), question: None })
    }

    /// Appends the connections of the records that are there to `conns`: at least one batch, and fewer than
    /// two. None at all when there is only a question to be [sent back](Self::try_beat).
    ///
    /// # Errors
    /// [`PeerMisbehaved`](LaneError::PeerMisbehaved) for a record that breaks the layout; its descriptors are
    /// closed.
    pub fn poll_conns(
        &mut self,
        cx: &mut Context<'_>,
        conns: &mut Vec<Offered>,
    ) -> Poll<Result<LaneEvent, LaneError>> {
        let (before, mut records) = (conns.len(), 0);
        while conns.len() - before < LANE_BATCH && records < LANE_BATCH {
            let mut room = buffer();
            let received =
                match self.io.poll_read_io(cx, |fd| socket::recv_past_reset(fd, &mut room)) {
                    Poll::Ready(received) => received?,
                    Poll::Pending if records > 0 => break,
                    Poll::Pending => return Poll::Pending,
                };
            // The end is told when it is met again, after the caller has seen the connections.
            if received.n == 0 && records > 0 {
                break;
            }
            records += 1;
            if self.take(received, &room, conns)? == LaneEvent::Closed {
                return Poll::Ready(Ok(LaneEvent::Closed));
            }
        }
        Poll::Ready(Ok(LaneEvent::Received))
    }

    /// Appends all connections that are there, without waiting.
    ///
    /// # Errors
    /// As [`poll_conns`](Self::poll_conns).
    pub fn try_conns(&mut self, conns: &mut Vec<Offered>) -> Result<LaneDrained, LaneError> {
        loop {
            let mut room = buffer();
            match self.io.try_read_io(|fd| socket::recv_past_reset(fd, &mut room)) {
                Ok(received) => match self.take(received, &room, conns)? {
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

    /// Sends answers, [`LANE_BATCH`] in a record, and returns how many went. If fewer than given, wait for
    /// [`poll_writable`](Self::poll_writable) and send the rest.
    ///
    /// # Errors
    /// [`PeerGone`](LaneError::PeerGone) when the primary has closed its end.
    pub fn try_answer(&mut self, answers: &[Answer]) -> Result<usize, LaneError> {
        self.try_send(answers)
    }

    /// Tells the ends of connections that were answered with [`Verdict::Kept`](super::Verdict::Kept), in the same way
    /// as [`try_answer`](Self::try_answer), once all those answers have gone: the primary knows the connections by them.
    ///
    /// # Errors
    /// As there.
    pub fn try_tell_ended(&mut self, ended: &[Ended]) -> Result<usize, LaneError> {
        self.try_send(ended)
    }

    /// Sends back what the primary has asked, if it has. Says whether nothing is left to be said: if something is, wait
    /// for [`poll_writable`](Self::poll_writable).
    ///
    /// # Errors
    /// As of [`try_answer`](Self::try_answer).
    pub fn try_beat(&mut self) -> Result<bool, LaneError> {
        let Some(question) = self.question else {
            return Ok(true);
        };
        let sent = self.try_send(&[question])? == 1;
        if sent {
            self.question = None;
        }
        Ok(sent)
    }

    fn try_send<E: Entry>(&mut self, entries: &[E]) -> Result<usize, LaneError> {
        let mut sent = 0;
        for batch in entries.chunks(LANE_BATCH) {
            let mut room = buffer();
            let record = encode(batch, &mut room);
            match self.io.try_write_io(|fd| socket::send(fd, record, &[])) {
                Ok(_) => sent += batch.len(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }

    /// Waits until there may be room for more.
    ///
    /// # Errors
    /// There is no descriptor or no memory to wait with: try again later. Or the runtime is shutting down.
    pub fn poll_writable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_write_ready(cx)
    }

    fn take(
        &mut self,
        received: Received,
        room: &[u8],
        conns: &mut Vec<Offered>,
    ) -> Result<LaneEvent, LaneError> {
        if received.n == 0 {
            return Ok(LaneEvent::Closed);
        }
        if received.cut {
            return Err(LaneError::PeerMisbehaved(LaneOffence::Length));
        }
        if kind(&room[..received.n]) == Some(Beat::KIND) {
            return self.take_question(&received, room);
        }
        self.records.clear();
        decode(&room[..received.n], &mut self.records).map_err(LaneError::PeerMisbehaved)?;
        let missing = self.records.len().checked_sub(received.fds.len());
        if missing.is_none_or(|missing| missing > 0 && !received.truncated) {
            return Err(LaneError::PeerMisbehaved(LaneOffence::Descriptors));
        }
        // The kernel drops from the end, so those that arrived belong to the first records.
        let fds = received.fds.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        conns.extend(self.records.iter().copied().zip(fds));
        Ok(LaneEvent::Received)
    }

    fn take_question(&mut self, received: &Received, room: &[u8]) -> Result<LaneEvent, LaneError> {
        if !received.fds.is_empty() || received.truncated {
            return Err(LaneError::PeerMisbehaved(LaneOffence::Descriptors));
        }
        let mut questions = Vec::new();
        decode(&room[..received.n], &mut questions).map_err(LaneError::PeerMisbehaved)?;
        self.question = questions.pop();
        Ok(LaneEvent::Received)
    }
}

impl AsFd for LaneWorker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}
