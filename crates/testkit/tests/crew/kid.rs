//! A child of this very process: a worker of a cluster, or a plain one.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use portcrew::{Child, Cluster, Counted, Event, Handle, Received, Result, Settings, WorkerHandle};
use portcrew_testkit::node::{Node, fixture};
use serde_json::Value;

use crate::support::{HANG, KEEPER};

pub(crate) enum Kid {
    Worker { cluster: Cluster, worker: WorkerHandle },
    Child(Child),
}

/// What it sent.
pub(crate) struct Came {
    pub(crate) message: Value,
    pub(crate) handle: Option<Handle>,
    pub(crate) counted: Option<Counted>,
}

/// Which kids there are: a worker and a plain child, of Node where there is one and of ours.
pub(crate) const KINDS: [(bool, bool); 4] =
    [(false, false), (false, true), (true, false), (true, true)];

impl Kid {
    /// The keeper in either language, as a worker or as a plain child. `None` without Node.
    pub(crate) async fn keeper((is_node, is_worker): (bool, bool)) -> Option<Self> {
        let settings = if is_node {
            Settings::program(Node::find_or_skip()?.path(), [fixture("keeper.js")])
        } else {
            Settings::program(KEEPER, ["keeper"])
        };
        Some(Self::start(settings, is_worker).await)
    }

    pub(crate) async fn start(mut settings: Settings, is_worker: bool) -> Self {
        settings.lane = false;
        if !is_worker {
            return Self::Child(Child::spawn(settings).unwrap());
        }
        let cluster = Cluster::new(settings).unwrap();
        let worker = cluster.fork().await.unwrap();
        Self::Worker { cluster, worker }
    }

    pub(crate) fn say(&self, message: &Value) {
        match self {
            Self::Worker { worker, .. } => worker.send(message),
            Self::Child(child) => child.send(message),
        }
        .unwrap();
    }

    pub(crate) fn give(&self, message: &Value, handle: impl Into<Handle>) {
        match self {
            Self::Worker { worker, .. } => worker.send_with(message, handle),
            Self::Child(child) => child.send_with(message, handle),
        }
        .unwrap();
    }

    pub(crate) fn lend(&self, message: &Value, stream: TcpStream, key: &str) {
        match self {
            Self::Worker { worker, .. } => worker.send_counted(message, stream, key),
            Self::Child(child) => child.send_counted(message, stream, key),
        }
        .unwrap();
    }

    pub(crate) async fn connections(&self, key: &str) -> usize {
        match self {
            Self::Worker { worker, .. } => worker.connections(key, HANG).await,
            Self::Child(child) => child.connections(key, HANG).await,
        }
        .unwrap()
    }

    pub(crate) async fn all_closed(&self, key: &str) -> Result<()> {
        match self {
            Self::Worker { worker, .. } => worker.all_closed(key).await,
            Self::Child(child) => child.all_closed(key).await,
        }
    }

    /// The next message, or the error in its place.
    pub(crate) async fn next(&mut self) -> Result<Came> {
        soon(async {
            loop {
                match self {
                    Self::Child(child) => match child.recv().await.expect("it has left") {
                        Received::Message { message, handle, counted, .. } => {
                            return Ok(Came { message: message.json()?, handle, counted });
                        }
                        Received::Error(error) => return Err(error),
                        other => panic!("not expected: {other:?}"),
                    },
                    Self::Worker { cluster, .. } => match cluster.next_event().await.unwrap() {
                        Event::Message { message, handle, counted, .. } => {
                            return Ok(Came { message: message.json()?, handle, counted });
                        }
                        Event::Error { error, .. } => return Err(error),
                        Event::Setup { .. } | Event::Fork { .. } | Event::Online { .. } => {}
                        Event::Listening { .. } | Event::Scheduling { .. } => {}
                        other => panic!("not expected: {other:?}"),
                    },
                }
            }
        })
        .await
    }

    /// The next message.
    pub(crate) async fn came(&mut self) -> Came {
        self.next().await.unwrap()
    }

    /// The next message, which carries no socket.
    pub(crate) async fn said(&mut self) -> Value {
        let came = self.came().await;
        assert!(came.handle.is_none(), "{:?}", came.handle);
        came.message
    }
}

/// Waits, but not for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// A client, and the connection that a server accepted from it.
pub(crate) fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let client = connect(listener.local_addr().unwrap());
    (client, listener.accept().unwrap().0)
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    stream
}

/// On which loopback port.
pub(crate) fn port(value: &Value) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, u16::try_from(value.as_u64().unwrap()).unwrap()).into()
}
