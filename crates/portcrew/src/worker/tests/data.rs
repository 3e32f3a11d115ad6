//! Data that the workers of a listener have in common.

use portcrew_core::{Query, Reply, ToWorker};
use serde_json::json;

use super::primary::{Primary, loopback, reply};
use super::soon;
use crate::{Error, Listen, ListenUnix, Listener};

/// A listener that brought `"own"`, and the query that asked for it; the primary answers with `data`.
async fn answered(data: Option<&str>, shared: bool) -> (Listener, Query) {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let answer = async {
        let (ack, query) = primary.query().await;
        let (kind, socket) = match shared {
            true => (Reply::Shared, Some(real.into())),
            false => (Reply::Handover { sockname: None }, None),
        };
        let mut message = reply(ack, query.key(), kind);
        if let ToWorker::Reply { data: place, .. } = &mut message {
            *place = data.map(Into::into);
        }
        primary.say(&message, socket, 1).await;
        query
    };
    let listen = Listen::from(at).data("own").unwrap();
    let (listener, query) = tokio::join!(soon(worker.listen(listen)), answer);
    (listener.unwrap(), query)
}

#[tokio::test]
async fn the_query_brings_it_and_the_listener_has_what_the_primary_answered() {
    for shared in [false, true] {
        let (listener, query) = answered(Some("\"first\""), shared).await;
        assert_eq!(query.data.as_deref(), Some("\"own\""));
        assert_eq!(listener.data::<String>().unwrap().as_deref(), Some("first"));
        let error = listener.data::<u8>().unwrap_err();
        assert!(matches!(error, Error::Message(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_primary_that_answers_none_gives_none() {
    let (listener, _) = answered(None, false).await;
    assert_eq!(listener.data::<String>().unwrap(), None);
}

#[tokio::test]
async fn more_than_a_primary_would_hear_is_refused_before_it_is_asked() {
    let (mut primary, worker) = Primary::new().await;
    let long = "x".repeat(20_000);
    let listen = Listen::from("127.0.0.1:0").data(&long).unwrap();
    let error = std::io::Error::from(soon(worker.listen(listen)).await.unwrap_err());
    assert_eq!(error.raw_os_error(), Some(90));
    worker.send(&1).unwrap();
    primary.user_message().await;
}

#[tokio::test]
async fn without_a_primary_to_share_it_by_it_is_the_listeners_own() {
    let (_primary, worker) = Primary::new().await;
    let folder = tempfile::tempdir().unwrap();
    let alone = Listen::from("127.0.0.1:0").exclusive().data(&json!({ "a": 1 })).unwrap();
    let listener = soon(worker.listen(alone)).await.unwrap();
    assert_eq!(listener.data().unwrap(), Some(json!({ "a": 1 })));
    let alone = ListenUnix::from(folder.path().join("s")).exclusive().data(&7).unwrap();
    let listener = soon(worker.listen_unix(alone)).await.unwrap();
    assert_eq!(listener.data().unwrap(), Some(7));
    let local = worker.listen_handle(loopback()).unwrap();
    assert_eq!(local.data::<u8>().unwrap(), None);
}
