//! Many sockets at once, in both directions, through buffers that hold next to nothing.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;

use portcrew_ipc::socket::pair_stream;
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};

use super::{connected, ends, message, soon};
use crate::{Handle, Parent};

/// The least that the kernel allows; it rounds up.
const SMALL: usize = 1;

fn narrow_ends() -> (Parent, Parent) {
    let (left, right) = pair_stream().unwrap();
    for end in [&left, &right] {
        set_socket_send_buffer_size(end.as_fd(), SMALL).unwrap();
        set_socket_recv_buffer_size(end.as_fd(), SMALL).unwrap();
    }
    (Parent::from_fd(left), Parent::from_fd(right))
}

#[tokio::test]
async fn both_ends_send_many_sockets_at_once_and_none_waits_for_ever() {
    const EACH: u32 = 100;
    let (left, right) = narrow_ends();
    let padding = "p".repeat(5_000);
    let mut clients = Vec::new();
    for end in [&left, &right] {
        for number in 0..EACH {
            let (client, accepted) = connected();
            end.send_with(&(number, &padding), accepted).unwrap();
            end.send(&(number, "text")).unwrap();
            clients.push((number, client));
        }
    }
    let receive = async |end: &Parent| {
        for number in 0..EACH {
            let (text, handle, _) = message(end).await;
            assert_eq!(text.json::<(u32, String)>().unwrap().0, number);
            let Some(Handle::TcpStream(mut stream)) = handle else { panic!("{handle:?}") };
            stream.write_all(&number.to_be_bytes()).unwrap();
            let (text, handle, _) = message(end).await;
            assert_eq!(text.json::<(u32, String)>().unwrap(), (number, "text".to_owned()));
            assert!(handle.is_none());
        }
    };
    tokio::join!(receive(&left), receive(&right));
    for (number, mut client) in clients {
        let mut read = [0; 4];
        client.read_exact(&mut read).unwrap();
        assert_eq!(u32::from_be_bytes(read), number);
    }
}

#[tokio::test]
async fn a_long_message_and_its_socket_arrive_together_through_small_buffers_both_ways() {
    let (left, right) = narrow_ends();
    let long = "x".repeat(800_004);
    let (_clients, sockets): (Vec<_>, Vec<_>) = (0..2).map(|_| connected()).unzip();
    for (end, socket) in [&left, &right].into_iter().zip(sockets) {
        end.send_with(&long, socket).unwrap();
    }
    let (at_left, at_right) = tokio::join!(message(&left), message(&right));
    for (text, handle, _) in [at_left, at_right] {
        assert_eq!(text.json::<String>().unwrap(), long);
        assert!(matches!(handle, Some(Handle::TcpStream(_))));
    }
}

#[tokio::test]
async fn a_socket_may_be_sent_twice_and_stays_one_connection() {
    let (near, far) = ends();
    let (mut client, accepted) = connected();
    near.send_with("one", accepted.try_clone().unwrap()).unwrap();
    near.send_with("two", accepted).unwrap();
    for word in ["one", "two"] {
        let (text, handle, _) = message(&far).await;
        assert_eq!(text.json::<String>().unwrap(), word);
        let Some(Handle::TcpStream(mut stream)) = handle else { panic!("{handle:?}") };
        stream.write_all(word.as_bytes()).unwrap();
    }
    // Here too everything of it is closed.
    soon(near.disconnect()).await;
    let mut read = String::new();
    client.read_to_string(&mut read).unwrap();
    assert_eq!(read, "onetwo");
}

#[tokio::test]
async fn an_end_that_closes_with_sockets_under_way_closes_them_all() {
    let (near, far) = ends();
    let mut clients = Vec::new();
    for number in 0..50 {
        let (client, accepted) = connected();
        near.send_with(&number, accepted).unwrap();
        clients.push(client);
    }
    // The other end is gone before it reads; whatever reached its buffer dies with it.
    drop(far);
    while soon(near.recv()).await.is_some() {}
    let closed: BTreeSet<_> = clients
        .iter_mut()
        .map(|client| client.read(&mut [0]).map_err(|error| error.kind()))
        .collect();
    assert_eq!(closed.into_iter().collect::<Vec<_>>(), [Ok(0)]);
}
