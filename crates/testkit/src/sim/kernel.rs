//! The model kernel: listening sockets with their queues, connections with what really happened to them, processes.

mod connection;
mod processes;

use std::collections::{BTreeMap, VecDeque};

use portcrew_core::{ConnId, ListenerId, SocketKind, WorkerId};

pub use self::connection::{Connection, Peer, judge};
pub use self::processes::{Pid, ProcessTable};
use super::report::{Broken, Check, Checked};

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

/// All sockets, connections and processes of one world.
#[derive(Debug, Default)]
pub struct Kernel {
    /// The sockets that exist.
    pub sockets: BTreeMap<ListenerId, Socket>,
    /// Who has which pid.
    pub processes: ProcessTable,
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
        self.conns.push(Connection::new(socket.unix));
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

    /// A worker reads, or has the bytes thrown away (`MSG_TRUNC`): the kernel counts both alike.
    pub fn read(&mut self, worker: WorkerId, conn: ConnId, bytes: u64) -> Checked {
        let it = self.conn_mut(conn);
        it.read += bytes.min(it.unread());
        touch(it, worker, conn)
    }

    /// A worker writes a part of its answer and has the kernel keep it back (`TCP_CORK`).
    pub fn cork(&mut self, worker: WorkerId, conn: ConnId) -> Checked {
        let it = self.conn_mut(conn);
        it.corked += 17;
        touch(it, worker, conn)
    }

    /// A worker writes its answer.
    pub fn write(&mut self, worker: WorkerId, conn: ConnId) -> Checked {
        let it = self.conn_mut(conn);
        it.written += 100 + std::mem::take(&mut it.corked);
        it.answered = true;
        touch(it, worker, conn)
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
    fn a_second_worker_on_one_connection_is_found() {
        let (mut kernel, conn) = kernel();
        kernel.write(WorkerId(1), conn).expect("the first to touch it");
        let broken = kernel.write(WorkerId(2), conn).expect_err("two owners");
        assert_eq!(broken.check, Check::C2OneOwner);
        assert_eq!(kernel.connect(ListenerId(0)), None, "the queue is full");
    }
}
