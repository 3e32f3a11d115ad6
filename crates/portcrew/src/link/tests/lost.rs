//! A peer that says that it did not get a socket.

use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use portcrew_ipc::socket;

use super::{connected, end_and_socket, soon};
use crate::{CONNECTION_KEYS_LIMIT, Error, Handle, Parent, Received};

const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const NACK: &str = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

/// What the other end writes next, with its descriptors.
async fn written(peer: &OwnedFd) -> (String, Vec<OwnedFd>) {
    let mut buffer = vec![0; 4096];
    let read = async {
        loop {
            tokio::task::yield_now().await;
            if let Ok(received) = socket::recv(peer, &mut buffer) {
                assert!(received.n > 0, "it has closed the channel");
                break (String::from_utf8(buffer[..received.n].to_vec()).unwrap(), received.fds);
            }
        }
    };
    soon(read).await
}

fn say(peer: &OwnedFd, line: &str) {
    assert_eq!(socket::send(peer, line.as_bytes(), &[]).unwrap(), line.len());
}

/// Refuses the socket that was sent, `losses` times; says how often it came.
async fn refuse(end: &Parent, peer: &OwnedFd, losses: usize) -> usize {
    end.send("behind").unwrap();
    let (first, fds) = written(peer).await;
    assert_eq!(fds.len(), 1);
    let mut came = 1;
    for _ in 0..losses {
        say(peer, NACK);
        let (line, fds) = written(peer).await;
        if fds.is_empty() {
            assert_eq!(line, "\"behind\"\n");
            return came;
        }
        assert_eq!(line, first);
        came += 1;
    }
    say(peer, ACK);
    assert_eq!(written(peer).await.0, "\"behind\"\n");
    came
}

#[tokio::test]
async fn a_connection_is_sent_again_until_it_arrives() {
    for losses in [1, 3] {
        let (end, peer) = end_and_socket();
        let (mut client, accepted) = connected();
        end.send_with("take", accepted).unwrap();
        assert_eq!(refuse(&end, &peer, losses).await, losses + 1);
        // The peer has closed what came; nobody else has it.
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        say(&peer, "\"nothing before this\"\n");
        let received = soon(end.recv()).await;
        assert!(matches!(received, Some(Received::Message { .. })), "{received:?}");
    }
}

#[tokio::test]
async fn after_four_losses_it_is_given_up_named_and_closed() {
    let (end, peer) = end_and_socket();
    let (mut client, accepted) = connected();
    let (from, at) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    end.send_with("take", accepted).unwrap();
    assert_eq!(refuse(&end, &peer, 10).await, 4);
    let Some(Received::Error(error)) = soon(end.recv()).await else { panic!("no error") };
    let Error::HandleLost { handle, tries: 4 } = &error else { panic!("{error:?}") };
    assert_eq!(*handle, format!("the connection between {at} and {from}"));
    assert!(error.to_string().contains(handle.as_str()), "{error}");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[tokio::test]
async fn what_is_shared_is_given_up_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let names = [
        format!("the listening socket on {}", listener.local_addr().unwrap()),
        format!("the UDP socket on {}", udp.local_addr().unwrap()),
    ];
    for (shared, name) in [Handle::from(listener), udp.into()].into_iter().zip(names) {
        let (end, peer) = end_and_socket();
        end.send_with("take", shared).unwrap();
        assert_eq!(refuse(&end, &peer, 10).await, 1);
        let received = soon(end.recv()).await;
        let Some(Received::Error(Error::HandleLost { handle, tries: 1 })) = received else {
            panic!("{received:?}")
        };
        assert_eq!(handle, name);
    }
}

#[tokio::test]
async fn nothing_is_counted_of_a_connection_that_was_given_up() {
    let (end, peer) = end_and_socket();
    end.send_counted("take", connected().1, "k").unwrap();
    assert_eq!(refuse(&end, &peer, 10).await, 4);
    // A Node process would not answer: it has never seen the key.
    assert_eq!(soon(end.connections("k", super::HANG)).await.unwrap(), 0);
    soon(end.all_closed("k")).await.unwrap();
}

#[tokio::test]
async fn a_key_under_which_nothing_arrived_is_forgotten_when_its_end_was_waited_for() {
    let (end, peer) = end_and_socket();
    for number in 0..=CONNECTION_KEYS_LIMIT {
        let key = number.to_string();
        let (_client, accepted) = connected();
        end.send_counted("take", accepted, &key).unwrap();
        for _ in 0..4 {
            drop(written(&peer).await);
            say(&peer, NACK);
        }
        let lost = soon(end.recv()).await;
        assert!(matches!(lost, Some(Received::Error(Error::HandleLost { .. }))), "{lost:?}");
        soon(end.all_closed(&key)).await.unwrap();
    }
}
