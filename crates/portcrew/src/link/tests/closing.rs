//! One end is told to close.

use super::{ends, message, soon};
use crate::Error;

#[tokio::test]
async fn what_was_sent_before_arrives_and_what_is_sent_after_is_refused() {
    let (ours, theirs) = ends();
    ours.send("before").unwrap();
    let same = ours.clone();
    let closing = tokio::spawn(async move { ours.disconnect().await });
    // The order is given as soon as the task has run, and ends only when the other end has closed too.
    while same.is_connected() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(same.send("after"), Err(Error::Disconnected)));
    assert_eq!(message(&theirs).await.0.as_str(), r#""before""#);
    assert!(soon(theirs.recv()).await.is_none());
    soon(closing).await.unwrap();
    assert!(soon(same.recv()).await.is_none());
}
