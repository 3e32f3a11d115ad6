//! What either end of a channel is sent by the other, and a plain child's life.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::ops::Deref;

use portcrew::{
    Child, Counted, Event, Handle, Message, Parent, Received, Settings, Signal, Worker,
};
use serde::de::DeserializeOwned;

use super::{HANG, Primary};

/// A message with what came with it.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) message: Message,
    pub(crate) handle: Option<Handle>,
    /// To be kept as long as the connection.
    pub(crate) counted: Option<Counted>,
}

/// An end of a channel that is told messages.
pub(crate) trait Hears {
    async fn hear(&self) -> Option<Received>;
}

macro_rules! hears {
    ($($end:ident),*) => {$(
        impl Hears for $end {
            async fn hear(&self) -> Option<Received> {
                self.recv().await
            }
        }
    )*};
}

hears!(Child, Guarded, Parent, Worker);

/// The next message.
///
/// # Panics
/// When none comes, or something else.
pub(crate) async fn letter(end: &impl Hears) -> Letter {
    match next(end).await {
        Some(Received::Message { message, handle, counted, .. }) => {
            Letter { message, handle, counted }
        }
        other => panic!("no message but {other:?}"),
    }
}

/// The next message, which comes without a socket.
pub(crate) async fn said<T: DeserializeOwned>(end: &impl Hears) -> T {
    let letter = letter(end).await;
    assert!(letter.handle.is_none(), "{letter:?}");
    letter.json()
}

/// Waits for the end of the channel, before which nothing more may come.
pub(crate) async fn says_nothing_more(end: &impl Hears) {
    let received = next(end).await;
    assert!(received.is_none(), "{received:?}");
}

async fn next(end: &impl Hears) -> Option<Received> {
    tokio::time::timeout(HANG, end.hear()).await.expect("neither a message nor the end came")
}

/// A plain child that does not outlive its proof.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
}

/// Starts a plain child. To be called inside [`World::run`](super::World::run).
pub(crate) fn child(settings: Settings) -> Guarded {
    Guarded { child: Child::spawn(settings).expect("the program can be started") }
}

impl Deref for Guarded {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // One that has ended as it should gets nothing.
        let _ = self.child.kill(Signal::Kill);
    }
}

/// Waits for a child's end, which must be an exit with this code.
pub(crate) async fn ends(child: &Child, code: i32) {
    let ended = tokio::time::timeout(HANG, child.wait()).await.expect("it does not end");
    let status = ended.expect("nobody else waits for it");
    assert_eq!(status.code(), Some(code), "{status}");
}

impl Primary {
    /// The next message of any worker with all that came with it.
    pub(crate) async fn letter(&mut self) -> Letter {
        self.until("a message", |it| match it {
            Event::Message { message, handle, counted, .. } => {
                let (handle, counted) = (handle.take(), counted.take());
                Some(Letter { message: message.clone(), handle, counted })
            }
            _ => None,
        })
        .await
    }
}

impl Letter {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        let message = &self.message;
        message.json().unwrap_or_else(|error| panic!("{}: {error}", message.as_str()))
    }

    /// The connection that came, which blocks from now on, for all who hold it.
    pub(crate) fn stream(self) -> TcpStream {
        let Some(Handle::TcpStream(stream)) = self.handle else {
            panic!("no connection: {self:?}")
        };
        stream.set_nonblocking(false).expect("open");
        stream.set_read_timeout(Some(HANG)).expect("not zero");
        stream
    }

    /// The listening socket that came.
    pub(crate) fn listener(self) -> TcpListener {
        let Some(Handle::TcpListener(listener)) = self.handle else {
            panic!("no server: {self:?}")
        };
        listener
    }

    /// The UDP socket that came.
    pub(crate) fn udp(self) -> UdpSocket {
        let Some(Handle::UdpSocket(socket)) = self.handle else { panic!("no UDP: {self:?}") };
        socket
    }
}
