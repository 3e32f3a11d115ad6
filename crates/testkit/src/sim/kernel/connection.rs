//! A connection as the kernel sees it, and what its numbers say.

use portcrew_core::WorkerId;
use portcrew_core::primary::Proof;
use portcrew_ipc::probe::{self, Figures, TcpState};

/// The client's half of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// It may send more.
    Open,
    /// It has sent its last byte.
    Fin,
    /// It is gone.
    Rst,
}

/// A connection as the kernel sees it.
#[derive(Debug)]
pub struct Connection {
    /// A Unix-domain connection keeps no counts.
    pub unix: bool,
    /// The client's half.
    pub peer: Peer,
    /// Bytes that the client sent.
    pub sent: u64,
    /// Bytes that workers have read of them.
    pub read: u64,
    /// Bytes that workers have written and the client was sent.
    pub written: u64,
    /// Bytes that workers have written and the kernel keeps back.
    pub corked: u64,
    /// The worker that read or wrote. A second one is the end of the run.
    pub touched_by: Option<WorkerId>,
    /// The worker to whose user code it was given last.
    pub delivered_to: Option<WorkerId>,
    /// A worker has written its answer and closed it.
    pub answered: bool,
    /// The primary has it open.
    pub primary_copy: bool,
}

impl Connection {
    /// A fresh one.
    #[must_use]
    pub const fn new(unix: bool) -> Self {
        Self {
            unix,
            peer: Peer::Open,
            sent: 0,
            read: 0,
            written: 0,
            corked: 0,
            touched_by: None,
            delivered_to: None,
            answered: false,
            primary_copy: false,
        }
    }

    /// Bytes that nobody has read.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.sent - self.read
    }

    /// Whether a worker has written. (What clients sent meanwhile is left out here: it would seldom be drawn.)
    #[must_use]
    pub const fn is_served(&self) -> bool {
        !self.unix && self.written > 0
    }

    /// Whether anybody has read or written.
    #[must_use]
    pub const fn is_touched(&self) -> bool {
        self.touched_by.is_some()
    }

    /// The kernel's numbers; of a Unix-domain connection it has none.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        let (state, end) = match self.peer {
            Peer::Open => (TcpState::Established, 0),
            // It counts as one received byte that is never in the queue.
            Peer::Fin => (TcpState::CloseWait, 1),
            Peer::Rst => (TcpState::Close, 0),
        };
        (!self.unix).then(|| Figures {
            state,
            received: self.sent + end,
            inq: self.unread(),
            sent: self.written,
            notsent: self.corked,
        })
    }

    /// What is special about its numbers, for the list of what was met.
    #[must_use]
    pub const fn peculiarity(&self) -> Option<&'static str> {
        match (self.unix, self.peer, self.unread(), self.corked) {
            (true, ..) | (_, Peer::Rst, ..) | (_, Peer::Open, _, 0) => None,
            (false, Peer::Fin, 0, 0) => Some("judged: half-closed"),
            (false, Peer::Fin, _, 0) => Some("judged: half-closed, with bytes unread"),
            (false, Peer::Open | Peer::Fin, ..) => Some("judged: corked"),
        }
    }

    /// What has really happened to it, whatever its numbers are.
    #[must_use]
    pub const fn truth(&self) -> Proof {
        match (self.unix, self.peer, self.touched_by) {
            (true, ..) => Proof::Unprovable,
            (false, Peer::Rst, _) => Proof::PeerGone,
            (false, Peer::Open | Peer::Fin, None) => Proof::Untouched,
            (false, Peer::Open | Peer::Fin, Some(_)) => Proof::Touched,
        }
    }
}

/// What these numbers prove: by the very table that ships.
#[must_use]
pub fn judge(figures: Option<Figures>) -> Proof {
    match figures.map(probe::judge) {
        Some(probe::Proof::Untouched) => Proof::Untouched,
        Some(probe::Proof::Touched) => Proof::Touched,
        Some(probe::Proof::PeerGone) => Proof::PeerGone,
        Some(probe::Proof::NotTcp) | None => Proof::Unprovable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the probe, as the model has it: each row by what was done.
    #[test]
    fn the_model_has_the_numbers_that_were_measured() {
        let of = |change: fn(&mut Connection)| {
            let mut it = Connection::new(false);
            change(&mut it);
            let figures = it.figures().expect("it is TCP");
            (figures.received, figures.inq, figures.sent, figures.notsent)
        };
        assert_eq!(of(|_| {}), (0, 0, 0, 0), "fresh");
        assert_eq!(of(|it| it.sent = 46), (46, 46, 0, 0), "unread");
        assert_eq!(of(|it| (it.sent, it.peer) = (46, Peer::Fin)), (47, 46, 0, 0), "and its end");
        assert_eq!(of(|it| it.peer = Peer::Fin), (1, 0, 0, 0), "the end alone");
        assert_eq!(of(|it| (it.sent, it.read) = (11, 5)), (11, 6, 0, 0), "5 of 11 read");
        assert_eq!(of(|it| it.corked = 17), (0, 0, 0, 17), "corked");
    }

    #[test]
    fn a_fin_alone_leaves_a_connection_untouched_and_one_read_byte_does_not() {
        let mut it = Connection { sent: 46, peer: Peer::Fin, ..Connection::new(false) };
        assert_eq!(judge(it.figures()), Proof::Untouched);
        it.read = 1;
        assert_eq!(judge(it.figures()), Proof::Touched);
        it.peer = Peer::Rst;
        assert_eq!(judge(it.figures()), Proof::PeerGone);
        assert_eq!(judge(Connection::new(true).figures()), Proof::Unprovable);
    }
}
