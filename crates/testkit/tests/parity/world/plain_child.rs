//! A plain child of this process, as of Node's `fork`: it has a channel and is no worker.

use portcrew::{Child, Received, Settings};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::HANG;

/// The parent's end.
pub(crate) struct PlainChild(Child);

impl PlainChild {
    /// To be called inside [`World::run`](super::World::run).
    pub(crate) fn start(settings: Settings) -> Self {
        Self(Child::spawn(settings).expect("the program can be started"))
    }

    pub(crate) fn send(&self, word: &str) {
        self.0.send(word).expect("connected");
    }

    /// The next message.
    ///
    /// # Panics
    /// When none comes.
    pub(crate) async fn message<T: DeserializeOwned>(&self) -> T {
        match timeout(HANG, self.0.recv()).await.expect("a message comes") {
            Some(Received::Message { message, .. }) => message.json().expect("it is as expected"),
            other => panic!("no message but {other:?}"),
        }
    }

    /// Closes the channel, after which the child must exit with status 0.
    pub(crate) async fn end(self) {
        self.0.disconnect().await;
        let status = timeout(HANG, self.0.wait()).await.expect("it ends").expect("it is ours");
        assert_eq!(status.code(), Some(0), "{status}");
    }
}
