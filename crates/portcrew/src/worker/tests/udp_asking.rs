//! Asking for a UDP socket.

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use portcrew_core::{Address, Errno, Family, FromWorker, Reply};

use super::primary::{Primary, reply};
use super::udp::{bound, is_free, own_loopback};
use super::{settle, soon};
use crate::{BindUdp, Error, Worker};

/// What the worker gets for `asked`, and what it says then, when the primary answers with `socket`.
async fn answered(
    primary: &mut Primary,
    worker: &Worker,
    asked: BindUdp,
    socket: Option<OwnedFd>,
) -> (crate::Result<crate::UdpSocket>, FromWorker) {
    let answer = async {
        let (ack, query) = primary.query().await;
        primary.say(&reply(ack, query.key(), Reply::Shared), socket, 2).await;
        primary.heard().await
    };
    tokio::join!(soon(worker.bind_udp(asked)), answer)
}

#[tokio::test]
async fn the_query_says_what_was_asked_for() {
    let udp = |host: &str, port, family, flags| Address::Udp {
        host: Some(host.to_owned()),
        port,
        family,
        flags,
        fd: None,
    };
    let of_fd = |fd, family| Address::Udp { host: None, port: 0, family, flags: 0, fd: Some(fd) };
    let (v4, v6) = (Family::V4, Family::V6);
    let cases = [
        (BindUdp::from(5300), udp("0.0.0.0", 5300, v4, 0)),
        (BindUdp::from(5300).ipv6(), udp("::", 5300, v6, 0)),
        (":0".into(), udp("0.0.0.0", 0, v4, 0)),
        (BindUdp::from("*:53").ipv6_only(), udp("::", 53, v6, 1)),
        (BindUdp::from("127.0.0.1:53").ipv6_only(), udp("127.0.0.1", 53, v4, 0)),
        (BindUdp::from("127.0.0.1:53").reuse_address(), udp("127.0.0.1", 53, v4, 4)),
        (BindUdp::from("[::1]:53").ipv6_only().reuse_address(), udp("::1", 53, v6, 5)),
        (([127, 0, 0, 1], 53).into(), udp("127.0.0.1", 53, v4, 0)),
        (BindUdp::fd(20), of_fd(20, v4)),
        (BindUdp::fd(20).ipv6().reuse_address(), of_fd(20, v6)),
    ];
    let (mut primary, worker) = Primary::new().await;
    for (bind, address) in cases {
        let worker = worker.clone();
        let asking = tokio::spawn(async move { worker.bind_udp(bind).await.map(drop) });
        let (ack, query) = primary.query().await;
        let refusal = reply(ack, query.key(), Reply::Failed(Errno::ACCESS));
        assert_eq!(query.address, address);
        // Some are for one key: the next is asked when this one is answered.
        primary.say(&refusal, None, 1).await;
        soon(asking).await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn a_taken_port_comes_as_the_systems_own_error() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async {
        let (ack, query) = primary.query().await;
        let failed = Reply::Failed(Errno::ADDRESS_IN_USE);
        primary.say(&reply(ack, query.key(), failed), None, 1).await;
    };
    let (socket, ()) = tokio::join!(soon(worker.bind_udp("127.0.0.1:53")), answer);
    let error = socket.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("failed to listen on UDP 127.0.0.1:53: Address already in use"),
        "{text}"
    );
    assert!(text.contains("ss -lunp"), "{text}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn what_is_not_the_socket_that_was_asked_for_is_given_back_with_the_reason() {
    let (mut primary, worker) = Primary::new().await;
    let (udp, at) = bound();
    let other = BindUdp::from((at.ip(), at.port() ^ 1));
    let unbound = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let local = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let cases: [(BindUdp, Option<OwnedFd>, i32); 5] = [
        (other, Some(udp), 98),
        (at.into(), Some(unbound.into()), 98),
        ("127.0.0.1:0".into(), Some(tcp.into()), 22),
        (BindUdp::fd(9), Some(local.into()), 22),
        // It was lost on the way: too many are open here.
        (at.into(), None, 24),
    ];
    for (asked, socket, errno) in cases {
        let text = format!("{asked:?}");
        let (outcome, said) = answered(&mut primary, &worker, asked, socket).await;
        let Error::Listen(error) = outcome.unwrap_err() else { panic!("{text}") };
        assert!(matches!(said, FromWorker::Close { .. }), "{text}: {said:?}");
        assert_eq!(error.errno(), Some(errno), "{text}");
    }
    assert!(is_free(at), "the sockets that were given back are still open");
}

#[tokio::test]
async fn a_socket_given_up_before_the_answer_is_closed_and_given_back() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = bound();
    let asking = tokio::spawn({
        let worker = worker.clone();
        async move { worker.bind_udp(at).await.map(drop) }
    });
    let (ack, query) = primary.query().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    settle().await;
    primary.say(&reply(ack, query.key(), Reply::Shared), Some(socket), 1).await;
    assert_eq!(primary.heard().await, FromWorker::Close { key: query.key() });
    assert!(is_free(at), "the socket that came is still open");
}

#[tokio::test]
async fn an_error_for_a_socket_that_was_given_up_is_nobodys() {
    let (mut primary, worker) = Primary::new().await;
    let asking = tokio::spawn({
        let worker = worker.clone();
        async move { worker.bind_udp("127.0.0.1:0").await.map(drop) }
    });
    let (ack, query) = primary.query().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    settle().await;
    let failed = Reply::Failed(Errno::ADDRESS_IN_USE);
    primary.say(&reply(ack, query.key(), failed), None, 1).await;
    primary.tell("1").await;
    soon(worker.recv()).await.unwrap();
    // Its index is free again.
    let asking = tokio::spawn(async move { worker.bind_udp("127.0.0.1:0").await.map(drop) });
    assert_eq!(primary.query().await.1, query);
    asking.abort();
}

#[tokio::test]
async fn nonsense_is_refused_before_anybody_is_asked() {
    let (mut primary, worker) = Primary::new().await;
    let refused = [
        BindUdp::from("nowhere"),
        BindUdp::from("127.0.0.1:x"),
        BindUdp::fd(-1),
        BindUdp::fd(3).exclusive(),
        BindUdp::fd(3).reuse_port(),
    ];
    for bind in refused {
        let error = soon(worker.bind_udp(bind)).await.unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error:?}");
    }
    worker.send(&1).unwrap();
    primary.user_message().await;
}

#[tokio::test]
async fn what_is_bound_here_asks_nobody() {
    let (mut primary, worker) = Primary::new().await;
    let exclusive = BindUdp::from(own_loopback()).exclusive();
    let exclusive = soon(worker.bind_udp(exclusive)).await.unwrap();
    let at = exclusive.local_addr().unwrap();
    let again = soon(worker.bind_udp(BindUdp::from(at).exclusive())).await.unwrap_err();
    assert_eq!(io::Error::from(again).kind(), io::ErrorKind::AddrInUse);
    let first = soon(worker.bind_udp(BindUdp::from("127.0.0.1:0").reuse_port())).await.unwrap();
    let beside = BindUdp::from(first.local_addr().unwrap()).reuse_port();
    let second = soon(worker.bind_udp(beside)).await.unwrap();
    assert_eq!(first.local_addr().unwrap(), second.local_addr().unwrap());
    worker.send(&1).unwrap();
    primary.user_message().await;
    drop(exclusive);
    UdpSocket::bind(at).unwrap();
}
