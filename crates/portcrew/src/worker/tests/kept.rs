//! A router served to a client that keeps its connection.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::primary::{Primary, loopback};
use super::soon;
use crate::axum08::serve;

/// Asks once, and reads until the body ends with `end`.
async fn ask(client: &mut TcpStream, end: &str) -> String {
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with(end) {
        let mut buffer = [0; 1024];
        let length = soon(client.read(&mut buffer)).await.unwrap();
        assert_ne!(length, 0, "{answer:?} is no whole answer");
        answer.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    answer
}

#[tokio::test]
async fn a_handler_knows_its_peer_and_a_kept_client_is_told_of_the_end() {
    let (primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let listener = worker.listen_handle(real).unwrap();
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
    let app = Router::new().route("/", get(peer));
    let serving = tokio::spawn({
        let worker = worker.clone();
        async move { serve(&worker, listener, app).await }
    });
    let mut client = TcpStream::connect(at).await.unwrap();
    let own = client.local_addr().unwrap().to_string();
    let first = ask(&mut client, &own).await;
    assert!(!first.contains("connection: close"), "{first}");
    // A worker without a primary leaves.
    drop(primary);
    soon(worker.draining()).await;
    let last = ask(&mut client, &own).await;
    assert!(last.contains("\r\nconnection: close\r\n"), "{last}");
    assert_eq!(soon(client.read(&mut [0; 8])).await.unwrap(), 0);
    soon(serving).await.unwrap();
}
