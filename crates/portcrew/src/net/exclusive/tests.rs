//! Who wakes for a connection, counted by the kernel: a process that wakes in vain switches context in vain,
//! and `epoll_wait` does not show it.

use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::*;

/// Only to tell a hang from a slow machine.
const HANG: Duration = Duration::from_secs(20);

/// One waiting worker, in a thread where a crew has processes; the kernel treats both alike.
struct Worker {
    wants: AtomicBool,
    thread: Mutex<Option<rustix::thread::Pid>>,
    asleep: Sender<()>,
    taken: Sender<OwnedFd>,
}

impl Taker for Worker {
    fn is_in_demand(&self) -> bool {
        *self.thread.lock().unwrap() = Some(rustix::thread::gettid());
        let _ = self.asleep.send(());
        self.wants.load(Ordering::Acquire)
    }

    fn take(&self, connection: OwnedFd) {
        let _ = self.taken.send(connection);
    }
}

impl Worker {
    /// How often its thread has gone to sleep.
    fn switches(&self) -> u64 {
        let thread = self.thread.lock().unwrap().unwrap().as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    }
}

struct Crew {
    workers: Vec<Arc<Worker>>,
    taken: Receiver<OwnedFd>,
    listener: Arc<OwnedFd>,
    at: std::net::SocketAddr,
    _threads: Vec<ExclusiveAccept>,
}

fn crew(size: usize) -> Crew {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let at = listener.local_addr().unwrap();
    let listener = Arc::new(OwnedFd::from(listener));
    let (send, taken) = channel();
    let (asleep, awake) = channel();
    let workers: Vec<_> = (0..size)
        .map(|_| {
            Arc::new(Worker {
                wants: AtomicBool::new(true),
                thread: Mutex::new(None),
                asleep: asleep.clone(),
                taken: send.clone(),
            })
        })
        .collect();
    let start = |it: &Arc<Worker>| {
        ExclusiveAccept::start(Arc::clone(&listener), Arc::clone(it) as Arc<dyn Taker>).unwrap()
    };
    let threads = workers.iter().map(start).collect();
    for _ in 0..size {
        awake.recv_timeout(HANG).unwrap();
    }
    Crew { workers, taken, listener, at, _threads: threads }
}

#[test]
fn of_eight_idle_workers_about_one_wakes_for_a_connection() {
    const CONNECTIONS: u64 = 300;
    let crew = crew(8);
    let count = || crew.workers.iter().map(|it| it.switches()).sum::<u64>();
    let before = count();
    for _ in 0..CONNECTIONS {
        let _client = TcpStream::connect(crew.at).unwrap();
        crew.taken.recv_timeout(HANG).unwrap();
    }
    let switches = count() - before;
    // A herd shows 8.
    assert!(switches <= 3 * CONNECTIONS, "{switches} switches for {CONNECTIONS} connections");
}

#[test]
fn what_waits_when_a_thread_starts_is_taken_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let clients: Vec<_> =
        (0..3).map(|_| TcpStream::connect(listener.local_addr().unwrap()).unwrap()).collect();
    let (taken, connections) = channel();
    let worker = Arc::new(Worker {
        wants: AtomicBool::new(true),
        thread: Mutex::new(None),
        asleep: channel().0,
        taken,
    });
    let _thread = ExclusiveAccept::start(Arc::new(listener.into()), worker).unwrap();
    for _ in &clients {
        connections.recv_timeout(HANG).unwrap();
    }
}

#[test]
fn its_end_is_waited_for_and_closes_its_hold_on_the_socket() {
    let crew = crew(4);
    let Crew { workers, listener, at, _threads: threads, .. } = crew;
    drop(threads);
    assert_eq!(Arc::strong_count(&listener), 1);
    assert!(workers.iter().all(|it| Arc::strong_count(it) == 1));
    drop(listener);
    assert!(TcpStream::connect(at).is_err());
}
