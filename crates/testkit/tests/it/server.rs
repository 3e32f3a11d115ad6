//! A server on a real socket whose every connection is served by a closure of the test, well or badly.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Only detects a hang.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// What a test does with a connection; the number counts the connections from 1.
type Serve = dyn Fn(Conn, u64) + Send + Sync;

/// A running server; dropping it ends it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    accepted: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The server's end of a connection.
pub(crate) struct Conn(pub(crate) TcpStream);

impl Server {
    pub(crate) fn start(serve: impl Fn(Conn, u64) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (accepted, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (counter, stopped) = (Arc::clone(&accepted), Arc::clone(&stop));
        let serve: Arc<Serve> = Arc::new(serve);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (serve, number) =
                    (Arc::clone(&serve), counter.fetch_add(1, Ordering::SeqCst) + 1);
                let conn = Conn(stream.unwrap());
                std::thread::spawn(move || serve(conn, number));
            }
        });
        Self { address, accepted, stop, thread: Some(thread) }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The accept loop looks at the flag when a connection comes.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Conn {
    /// Reads one request; none when the client has closed.
    pub(crate) fn request(&mut self) -> Option<String> {
        let (mut text, mut byte) = (Vec::new(), [0]);
        while !text.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(1) => text.push(byte[0]),
                _ => return None,
            }
        }
        Some(String::from_utf8(text).unwrap())
    }

    /// Writes, whether or not the client still listens.
    pub(crate) fn send(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes());
    }

    /// A whole answer of a worker.
    pub(crate) fn answer(&mut self, worker: u64) {
        self.send(&answer(worker));
    }

    /// Whether nothing that was sent still waits in the client's socket. On loopback it is there when a write returns.
    pub(crate) fn client_has_read(&self) -> bool {
        let ends = [self.0.peer_addr().unwrap().port(), self.0.local_addr().unwrap().port()];
        let [local, remote] = ends.map(|port| format!("0100007F:{port:04X}"));
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut rows = table.lines().map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row[1] == local && row[2] == remote);
        // The fifth column: bytes to send, bytes to read.
        row.is_some_and(|row| row[4].ends_with(":00000000"))
    }

    /// Ends the connection by a reset.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.0, Some(Duration::ZERO)).unwrap();
    }

    /// Stays silent until the client goes.
    pub(crate) fn hang(mut self) {
        let _ = std::io::copy(&mut self.0, &mut std::io::sink());
    }
}

pub(crate) fn answer(worker: u64) -> String {
    let body = format!("hello from worker {worker}\n");
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
