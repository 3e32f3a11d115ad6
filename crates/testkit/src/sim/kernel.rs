//! The model kernel: listening sockets with their queues, and connections with what really happened to them.

use std::collections::{BTreeMap, VecDeque};

use portcrew_core::primary::Proof;
use portcrew_core::{ConnId, ListenerId, SocketKind, WorkerId};

use super::report::{Broken, Check, Checked};

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
    /// Bytes that workers have written.
    pub written: u64,
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
}

/// A listening socket of the primary.
#[derive(Debug)]
pub struct Socket {
    /// Its connections are Unix-domain ones.
    pub unix: bool,
    /// It has datagrams, of which one counts as a connection here.
    pub udp: bool,
    /// Established connections that nobody has accepted.
    pub backlog: VecDeque<ConnId>,
    /// The length of that queue.
    pub room: usize,
    /// The primary polls it.
    pub polled: bool,
}

impl Socket {
    /// What the shell says that it is.
    #[must_use]
    pub const fn kind(&self) -> SocketKind {
        match (self.unix, self.udp) {
            (true, _) => SocketKind::Stream,
            (false, true) => SocketKind::Datagram,
            (false, false) => SocketKind::Tcp,
        }
    }
}

/// All sockets and connections of one world.
#[derive(Debug, Default)]
pub struct Kernel {
    /// The sockets that exist.
    pub sockets: BTreeMap<ListenerId, Socket>,
    conns: Vec<Connection>,
    copies: usize,
    /// Connections of which it is to tell the end, and who has taken them.
    pub noted: Vec<(ConnId, WorkerId)>,
}

impl Kernel {
    /// A client connects. `None` when the queue is full: its SYN is dropped, and it tries again.
    pub fn connect(&mut self, listener: ListenerId) -> Option<ConnId> {
        let socket = self.sockets.get_mut(&listener)?;
        if socket.backlog.len() >= socket.room {
            return None;
        }
        let conn = ConnId(self.conns.len() as u64);
        socket.backlog.push_back(conn);
        self.conns.push(Connection {
            unix: socket.unix,
            peer: Peer::Open,
            sent: 0,
            read: 0,
            written: 0,
            touched_by: None,
            delivered_to: None,
            answered: false,
            primary_copy: false,
        });
        Some(conn)
    }

    /// How many connections there ever were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// A connection.
    #[must_use]
    pub fn conn(&self, conn: ConnId) -> &Connection {
        &self.conns[index(conn)]
    }

    /// A connection, to change it.
    pub fn conn_mut(&mut self, conn: ConnId) -> &mut Connection {
        &mut self.conns[index(conn)]
    }

    /// The primary accepts it.
    pub fn open_copy(&mut self, conn: ConnId) {
        self.conn_mut(conn).primary_copy = true;
        self.copies += 1;
    }

    /// The primary closes its copy. Says whether it was open.
    pub fn close_copy(&mut self, conn: ConnId) -> bool {
        let was_open = std::mem::take(&mut self.conn_mut(conn).primary_copy);
        self.copies -= usize::from(was_open);
        was_open
    }

    /// Connections that the primary has open.
    #[must_use]
    pub const fn copies(&self) -> usize {
        self.copies
    }

    /// A worker reads.
    pub fn read(&mut self, worker: WorkerId, conn: ConnId, bytes: u64) -> Checked {
        let it = self.conn_mut(conn);
        it.read += bytes.min(it.unread());
        touch(it, worker, conn)
    }

    /// A worker writes its answer.
    pub fn write(&mut self, worker: WorkerId, conn: ConnId) -> Checked {
        let it = self.conn_mut(conn);
        it.written += 100;
        it.answered = true;
        touch(it, worker, conn)
    }

    /// What the kernel can say of a connection that was sent to a worker, by its counts alone.
    #[must_use]
    pub fn prove(&self, conn: ConnId) -> Proof {
        let it = self.conn(conn);
        if it.unix {
            return Proof::Unprovable;
        }
        match it.peer {
            Peer::Rst => Proof::PeerGone,
            Peer::Open | Peer::Fin => {
                // The FIN counts as one received byte that is never in the queue.
                let fin = u64::from(it.peer == Peer::Fin);
                let received = it.sent + fin;
                if received - fin == it.unread() && it.written == 0 {
                    Proof::Untouched
                } else {
                    Proof::Touched
                }
            }
        }
    }
}

fn touch(it: &mut Connection, worker: WorkerId, conn: ConnId) -> Checked {
    match it.touched_by.replace(worker) {
        Some(other) if other != worker => {
            let what = format!("workers {other} and {worker} both touched connection {conn}");
            Err(Broken::new(Check::C2OneOwner, what))
        }
        Some(_) | None => Ok(()),
    }
}

fn index(conn: ConnId) -> usize {
    usize::try_from(conn.0).expect("the numbers come from a Vec")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> (Kernel, ConnId) {
        let mut kernel = Kernel::default();
        let socket =
            Socket { unix: false, udp: false, backlog: VecDeque::new(), room: 1, polled: false };
        kernel.sockets.insert(ListenerId(0), socket);
        let conn = kernel.connect(ListenerId(0)).expect("there is room");
        (kernel, conn)
    }

    #[test]
    fn a_fin_alone_leaves_a_connection_untouched_and_one_read_byte_does_not() {
        let (mut kernel, conn) = kernel();
        kernel.conn_mut(conn).sent = 46;
        kernel.conn_mut(conn).peer = Peer::Fin;
        assert_eq!(kernel.prove(conn), Proof::Untouched);
        kernel.read(WorkerId(1), conn, 1).expect("the first to touch it");
        assert_eq!(kernel.prove(conn), Proof::Touched);
        kernel.conn_mut(conn).peer = Peer::Rst;
        assert_eq!(kernel.prove(conn), Proof::PeerGone);
    }

    #[test]
    fn a_second_worker_on_one_connection_is_found() {
        let (mut kernel, conn) = kernel();
        kernel.write(WorkerId(1), conn).expect("the first to touch it");
        let broken = kernel.write(WorkerId(2), conn).expect_err("two owners");
        assert_eq!(broken.check, Check::C2OneOwner);
        assert_eq!(kernel.connect(ListenerId(0)), None, "the queue is full");
    }
}
