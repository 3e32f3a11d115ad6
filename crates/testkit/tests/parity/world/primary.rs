//! A Rust primary inside the proof: its events, each given once, whatever order a proof asks for them in.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::task::Poll;

use portcrew::{
    Cluster, Event, Handle, Ledger, ListenAddress, Message, Settings, WorkerHandle, WorkerId,
};
use serde::de::DeserializeOwned;

use super::HANG;
use super::order::Order;

/// A cluster and what it told.
pub(crate) struct Primary {
    pub(crate) cluster: Cluster,
    /// Told, and not asked for yet.
    waiting: VecDeque<Event>,
    order: Order,
}

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) worker: WorkerId,
    pub(crate) status: ExitStatus,
    /// Node's `exitedAfterDisconnect`.
    pub(crate) planned: bool,
}

impl Primary {
    /// To be called inside [`World::run`](super::World::run).
    pub(crate) fn new(settings: Settings) -> Self {
        Self::of(Cluster::new(settings).expect("inside a runtime"))
    }

    pub(crate) fn of(cluster: Cluster) -> Self {
        Self { cluster, waiting: VecDeque::new(), order: Order::default() }
    }

    pub(crate) async fn fork(&self) -> WorkerHandle {
        self.cluster.fork().await.expect("the program can be started")
    }

    /// The first event, told already or to come, of which `pick` makes something. Others stay for later.
    ///
    /// # Panics
    /// When none comes; when events come in an order that Node does not have.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&mut Event) -> Option<T>,
    ) -> T {
        let found = self.waiting.iter_mut().enumerate().find_map(|(at, it)| Some((at, pick(it)?)));
        if let Some((at, found)) = found {
            self.waiting.remove(at);
            return found;
        }
        loop {
            let mut event = self.next(what).await;
            match pick(&mut event) {
                Some(found) => return found,
                None => self.waiting.push_back(event),
            }
        }
    }

    /// The keys of the listeners that the primary has.
    pub(crate) async fn keys(&self) -> Vec<String> {
        let snapshot = self.cluster.snapshot().await.expect("it lives as long as this");
        snapshot.listeners.into_iter().map(|it| it.key).collect()
    }

    /// The account of connections, once it is so: a client may know of its fate before the primary does.
    ///
    /// # Panics
    /// When it does not become so.
    pub(crate) async fn ledger(&self, is_so: impl Fn(&Ledger) -> bool) -> Ledger {
        let mut ledger = Ledger::default();
        let seen = async {
            loop {
                ledger = self.cluster.snapshot().await.expect("it lives as long as this").ledger;
                if is_so(&ledger) {
                    return;
                }
            }
        };
        let seen = tokio::time::timeout(HANG, seen).await;
        assert!(seen.is_ok(), "{ledger:?}");
        ledger
    }

    /// Whether such an event has come and was not asked for. Proves the absence of one only behind a later event.
    pub(crate) fn was_told(&self, is: impl Fn(&Event) -> bool) -> bool {
        self.waiting.iter().any(is)
    }

    async fn next(&mut self, what: &str) -> Event {
        let next = tokio::time::timeout(HANG, self.cluster.next_event()).await;
        let Ok(Some(event)) = next else {
            panic!("{what} did not come; told and not asked for: {:#?}", self.waiting)
        };
        self.order.check(&event);
        event
    }

    /// Everything that was told so far.
    async fn read_all(&mut self) {
        while let Poll::Ready(Some(event)) =
            poll_fn(|cx| Poll::Ready(self.cluster.poll_event(cx))).await
        {
            self.order.check(&event);
            self.waiting.push_back(event);
        }
    }

    pub(crate) async fn online(&mut self) -> WorkerId {
        self.until("online", |it| match it {
            Event::Online { worker } => Some(*worker),
            _ => None,
        })
        .await
    }

    pub(crate) async fn listening(&mut self) -> (WorkerId, ListenAddress) {
        self.until("listening", |it| match it {
            Event::Listening { worker, address } => Some((*worker, address.clone())),
            _ => None,
        })
        .await
    }

    /// The port of the next `listening`.
    pub(crate) async fn port(&mut self) -> u16 {
        self.listening().await.1.port.expect("it listens on a port")
    }

    /// The next message of any worker.
    pub(crate) async fn message<T: DeserializeOwned>(&mut self) -> (WorkerId, T) {
        let (worker, message, _) = self.message_with_handle().await;
        (worker, read(&message))
    }

    /// The next message of that worker.
    pub(crate) async fn message_of<T: DeserializeOwned>(&mut self, wanted: WorkerId) -> T {
        self.until(&format!("a message of worker {wanted}"), |it| match it {
            Event::Message { worker, message, .. } if *worker == wanted => Some(read(message)),
            _ => None,
        })
        .await
    }

    pub(crate) async fn message_with_handle(&mut self) -> (WorkerId, Message, Option<Handle>) {
        self.until("a message", |it| match it {
            Event::Message { worker, message, handle, .. } => {
                Some((*worker, message.clone(), handle.take()))
            }
            _ => None,
        })
        .await
    }

    /// The next `disconnect`: who, and Node's `exitedAfterDisconnect`.
    pub(crate) async fn disconnected(&mut self) -> (WorkerId, bool) {
        self.until("disconnect", |it| match it {
            Event::Disconnect { worker, planned } => Some((*worker, *planned)),
            _ => None,
        })
        .await
    }

    /// As [`disconnected`](Self::disconnected), of that worker: Node's `exitedAfterDisconnect`.
    pub(crate) async fn disconnect_of(&mut self, wanted: WorkerId) -> bool {
        self.until(&format!("disconnect of worker {wanted}"), |it| match it {
            Event::Disconnect { worker, planned } if *worker == wanted => Some(*planned),
            _ => None,
        })
        .await
    }

    pub(crate) async fn exit_of(&mut self, wanted: WorkerId) -> Left {
        self.until(&format!("exit of worker {wanted}"), |it| match it {
            Event::Exit { worker, status, planned } if *worker == wanted => {
                Some(Left { worker: *worker, status: *status, planned: *planned })
            }
            _ => None,
        })
        .await
    }

    /// Both ends of that worker, which must agree on whether they were planned.
    pub(crate) async fn gone(&mut self, wanted: WorkerId) -> Left {
        let planned = self.disconnect_of(wanted).await;
        let left = self.exit_of(wanted).await;
        assert_eq!(planned, left.planned, "disconnect and exit of {wanted} disagree");
        left
    }

    pub(crate) async fn exit(&mut self) -> Left {
        self.until("exit", |it| match it {
            Event::Exit { worker, status, planned } => {
                Some(Left { worker: *worker, status: *status, planned: *planned })
            }
            _ => None,
        })
        .await
    }

    /// The next `exit`, which must be one with this code.
    pub(crate) async fn exit_with(&mut self, code: i32) -> Left {
        let left = self.exit().await;
        assert_eq!(left.status.code(), Some(code), "{left:?}");
        left
    }

    /// When all workers have gone: no end and no error is left to be told.
    ///
    /// # Panics
    /// When one is, or a worker is left.
    pub(crate) async fn has_told_all(&mut self) {
        // Answered after everything that was told before.
        let snapshot = self.cluster.snapshot().await.expect("the primary is driven");
        assert!(snapshot.workers.is_empty() && self.cluster.workers().is_empty(), "{snapshot:?}");
        self.read_all().await;
        let bad = |it: &&Event| {
            matches!(
                it,
                Event::Disconnect { .. }
                    | Event::Exit { .. }
                    | Event::Error { .. }
                    | Event::Misbehaved { .. }
                    | Event::Lagged { .. }
            )
        };
        let bad: Vec<_> = self.waiting.iter().filter(bad).collect();
        assert!(bad.is_empty(), "told and not asked for: {bad:#?}");
    }

    /// Asks all to leave and waits until they have. Every exit that was not asked for, also one long before, must be
    /// with status 0.
    ///
    /// # Panics
    /// When one is not, or a worker stays.
    pub(crate) async fn end(mut self) {
        let all = tokio::time::timeout(HANG, self.cluster.disconnect()).await;
        assert!(all.is_ok(), "not every worker left: {:?}", self.cluster.workers());
        // All has been told by now.
        self.read_all().await;
        assert_eq!(self.order.running().next(), None, "not every exit was told");
        for event in &self.waiting {
            if let Event::Exit { status, .. } = event {
                assert_eq!(status.code(), Some(0), "not asked for: {event:?}");
            }
        }
    }
}

impl Left {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

fn read<T: DeserializeOwned>(message: &Message) -> T {
    message.json().unwrap_or_else(|error| panic!("{}: {error}", message.as_str()))
}
