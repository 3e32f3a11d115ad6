//! Each error of accept(2), and listeners that never run dry: by a driver whose accept does what a test wants.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future as _, poll_fn};
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcrew_core::primary::{Event, Exit, Origin, Primary, Settings as MachineSettings};
use portcrew_core::{
    Address, CloseReason, Family, FromWorker, Limits, ListenerId, Query, Seq, WorkerId,
};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::*;
use crate::net::bind;
use crate::primary::command::Command;
use crate::primary::driver::{Parts, Registry};
use crate::primary::events::{self, Queue};
use crate::primary::launcher::Launcher;
use crate::primary::policy::Shown;
use crate::primary::reserve::Reserve;
use crate::{Event as Told, Settings};

/// Only detects a hang.
const HANG: Duration = Duration::from_secs(30);

const L0: ListenerId = ListenerId(0);

thread_local! {
    /// What the next calls of accept fail with.
    static SCRIPT: RefCell<VecDeque<Errno>> = const { RefCell::new(VecDeque::new()) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

type Accepted = io::Result<(OwnedFd, Option<SocketAddr>)>;

/// Fails as the script says, and then never again.
fn scripted(listener: BorrowedFd<'_>) -> Accepted {
    CALLS.set(CALLS.get() + 1);
    match SCRIPT.with_borrow_mut(VecDeque::pop_front) {
        Some(errno) => Err(errno.into()),
        None => accept::accept(listener),
    }
}

/// There is always one more.
fn endless(_: BorrowedFd<'_>) -> Accepted {
    CALLS.set(CALLS.get() + 1);
    Ok((rustix::pipe::pipe()?.0, None))
}

/// A driver with a listener that nobody holds, and what belongs to it.
struct Stage {
    driver: Pin<Box<Driver>>,
    events: Queue,
    commands: mpsc::UnboundedSender<Command>,
    address: SocketAddr,
}

impl Stage {
    fn new(program: &str, change: impl FnOnce(&mut Limits)) -> Self {
        let mut machine = MachineSettings::default();
        change(&mut machine.limits);
        let mut settings = Settings::program("/bin/sh", ["-c", program]);
        settings.lane = false;
        let settings = Arc::new(settings);
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, events) = events::queue();
        let mut driver = Driver::new(Parts {
            machine: Primary::new(machine),
            launcher: Launcher::new(Arc::clone(&settings)),
            registry: Arc::new(Registry::default()),
            shown: Arc::new(Shown::new(settings)),
            reserve: Reserve::new(),
            events: sender,
            commands: receiver,
            command_sender: commands.downgrade(),
        });
        listen(&mut driver);
        let port = driver.sockets.get(L0).unwrap().port.unwrap();
        let address = ([127, 0, 0, 1], port).into();
        Self { driver: Box::pin(driver), events, commands, address }
    }

    /// Turns the wheel until this is so.
    async fn until(&mut self, mut is_so: impl FnMut(&Driver) -> bool) {
        let Self { driver, .. } = self;
        let reached = poll_fn(|cx| {
            assert!(driver.as_mut().poll(cx).is_pending());
            if is_so(driver) { Poll::Ready(()) } else { Poll::Pending }
        });
        timeout(HANG, reached).await.expect("it comes to that");
    }

    /// Everything that users were told.
    fn told(&mut self) -> Vec<Told> {
        let mut cx = Context::from_waker(Waker::noop());
        let next = || match self.events.poll_recv(&mut cx) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        };
        std::iter::from_fn(next).collect()
    }
}

/// As if a worker that has died since had asked for it.
fn listen(driver: &mut Driver) {
    let worker = WorkerId(100);
    let (host, family) = (Some("127.0.0.1".to_owned()), Family::V4);
    let address = Address::Tcp { host, port: 0, family, ipv6_only: false };
    let query = Query { address, index: 0, backlog: None, data: None };
    driver.tell(Event::Forked { worker, origin: Origin::alone(worker) });
    driver.tell(Event::Message { worker, message: FromWorker::Query { seq: Seq(0), query } });
    driver.tell(Event::Exited { worker, status: Exit::Code(0) });
    driver.tell(Event::Drained { worker });
}

fn script(errors: &[Errno]) {
    SCRIPT.set(errors.iter().copied().collect());
    CALLS.set(0);
}

fn pauses(events: &[Told]) -> usize {
    events.iter().filter(|it| matches!(it, Told::Error { worker: None, .. })).count()
}

#[tokio::test]
async fn an_error_of_one_connection_keeps_nobody_else_waiting() {
    let mut stage = Stage::new("", |_| {});
    stage.driver.accept_with = scripted;
    let errors = [
        Errno::CONNABORTED,
        Errno::PROTO,
        Errno::PERM,
        Errno::NETDOWN,
        Errno::NOPROTOOPT,
        Errno::HOSTDOWN,
        Errno::NONET,
        Errno::HOSTUNREACH,
        Errno::OPNOTSUPP,
        Errno::NETUNREACH,
    ];
    script(&errors);
    let _client = TcpStream::connect(stage.address).unwrap();
    stage.until(|it| it.machine.ledger().accepted == 1).await;
    let ledger = stage.driver.machine.ledger().clone();
    assert_eq!(ledger.accept_failures as usize, errors.len());
    assert_eq!(pauses(&stage.told()), 0, "it never rested");
}

#[tokio::test]
async fn every_want_and_every_unknown_error_is_a_rest_after_one_call_and_then_everybody_is_served()
{
    let unknown = Errno::from_raw_os_error(523);
    let wants = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::INVAL, unknown];
    for errno in wants {
        let mut stage = Stage::new("", |_| {});
        stage.driver.accept_with = scripted;
        let failures = [errno; 5];
        script(&failures);
        let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(stage.address).unwrap()).collect();
        stage.until(|it| it.machine.ledger().accepted == 3).await;
        assert_eq!(stage.driver.machine.ledger().accept_failures, 5, "{errno}");
        // One for each rest, one for each client, and none that finds nobody.
        assert_eq!(CALLS.get(), 5 + clients.len(), "{errno}");
        assert_eq!(pauses(&stage.told()), 1, "{errno}: it is told once");
    }
}

#[tokio::test]
async fn more_than_a_turns_worth_is_accepted_in_turns_without_a_call_in_vain() {
    let mut stage = Stage::new("", |_| {});
    stage.driver.accept_with = scripted;
    script(&[]);
    let many = 2 * ACCEPT_BATCH + 1;
    let _clients: Vec<_> = (0..many).map(|_| TcpStream::connect(stage.address).unwrap()).collect();
    stage.until(|it| it.machine.ledger().accepted as usize == many).await;
    assert_eq!(CALLS.get(), many);
}

#[tokio::test]
async fn a_listener_that_was_shut_down_and_listens_again_is_accepted_from_and_holds_up_no_command()
{
    let mut stage = Stage::new("", |_| {});
    let _first = TcpStream::connect(stage.address).unwrap();
    stage.until(|it| it.machine.ledger().accepted == 1).await;
    // As a worker may that has it too. The reactor sees it, and before anybody has looked the socket listens again.
    let socket = stage.driver.sockets.get(L0).unwrap().share();
    rustix::net::shutdown(&socket, rustix::net::Shutdown::Both).unwrap();
    tokio::task::yield_now().await;
    assert!(bind::listen_again(socket.as_fd(), stage.address, None).is_ok());
    let (answer, mut answered) = oneshot::channel();
    stage.until(|it| !it.machine.is_accepting(L0)).await;
    assert!(stage.commands.send(Command::Snapshot { answer }).is_ok());
    stage.until(|_| answered.try_recv().is_ok()).await;
    let _second = TcpStream::connect(stage.address).unwrap();
    stage.until(|it| it.machine.ledger().accepted == 2).await;
}

#[tokio::test]
async fn without_a_descriptor_connections_are_shed_where_that_is_wanted() {
    let mut stage = Stage::new("", |limits| limits.shed = 64);
    stage.driver.accept_with = scripted;
    script(&[Errno::MFILE, Errno::CONNABORTED]);
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(stage.address).unwrap()).collect();
    stage.until(|it| it.machine.ledger().closed_for(CloseReason::Shed) == 3).await;
    for mut client in clients {
        client.set_read_timeout(Some(HANG)).unwrap();
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0, "it learns of it");
    }
    let ledger = stage.driver.machine.ledger();
    assert!(ledger.balances() && ledger.accepted == 3);
}

#[tokio::test]
async fn a_listener_that_never_runs_dry_holds_up_neither_a_command_nor_a_death() {
    let mut stage = Stage::new("exit 7", |limits| (limits.held, limits.shed) = (1, u32::MAX));
    stage.driver.accept_with = endless;
    CALLS.set(0);
    let _client = TcpStream::connect(stage.address).unwrap();
    stage.until(|_| CALLS.get() > 10 * ACCEPT_BATCH).await;
    let before = stage.driver.machine.ledger().accepted;
    let (answer, mut answered) = oneshot::channel();
    assert!(stage.commands.send(Command::Snapshot { answer }).is_ok());
    let mut snapshot = None;
    stage
        .until(|_| snapshot.is_some() || answered.try_recv().map(|it| snapshot = Some(it)).is_ok())
        .await;
    let meanwhile = snapshot.unwrap().ledger.accepted - before;
    assert!(meanwhile <= ACCEPT_BATCH as u64, "{meanwhile} were accepted before the answer");
    let handle = stage.driver.fork(None, Vec::new()).unwrap();
    stage.driver.settle();
    stage.until(|_| handle.is_dead()).await;
    assert_eq!(handle.exit_status().unwrap().code(), Some(7));
}
