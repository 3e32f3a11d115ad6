//! What nobody reads does not pile up.

use std::io::Read as _;

use super::{connected, ends, soon};

#[tokio::test]
async fn what_is_for_a_user_who_has_gone_is_closed_at_once() {
    let (near, far) = ends();
    far.start().unwrap();
    let (mut before, accepted) = connected();
    near.send_with("before", accepted).unwrap();
    // Answered behind it, so it has arrived, and nobody has taken it.
    near.send_counted("k", connected().1, "k").unwrap();
    assert_eq!(soon(near.connections("k", super::HANG)).await.unwrap(), 1);
    drop(far);
    soon(async {
        before.set_nonblocking(true).unwrap();
        while before.read(&mut [0]).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(near.is_connected(), "the other end waits for this one to close the channel too");
}
