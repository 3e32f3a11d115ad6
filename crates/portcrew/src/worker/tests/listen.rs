//! Asking for a listener.

use std::io;
use std::net::SocketAddr;

use portcrew_core::{Address, Errno, Family, FromWorker, Reply, SockName};

use super::primary::{Primary, loopback, reply};
use super::{settle, soon};
use crate::{Error, Listen, ListenUnix};

#[tokio::test]
async fn a_taken_port_comes_as_the_systems_own_error() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async {
        let (ack, query) = primary.query().await;
        let failed = Reply::Failed(Errno::ADDRESS_IN_USE);
        primary.say(&reply(ack, query.key(), failed), None, 1).await;
    };
    let (listener, ()) = tokio::join!(soon(worker.listen("127.0.0.1:80")), answer);
    let error = listener.unwrap_err();
    let Error::Listen(error) = error else { panic!("{error:?}") };
    assert_eq!((error.code(), error.errno(), error.syscall()), ("EADDRINUSE", Some(98), "bind"));
    assert_eq!((error.address(), error.port()), (Some("127.0.0.1"), Some(80)));
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn a_listener_given_up_before_the_answer_is_given_back() {
    let (mut primary, worker) = Primary::new().await;
    let asking = tokio::spawn({
        let worker = worker.clone();
        async move { worker.listen("127.0.0.1:80").await.map(drop) }
    });
    let (ack, query) = primary.query().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    settle().await;
    primary.say(&reply(ack, query.key(), Reply::Handover { sockname: None }), None, 1).await;
    assert_eq!(primary.heard().await, FromWorker::Close { key: query.key() });
}

#[tokio::test]
async fn the_query_says_what_was_asked_for() {
    let (mut primary, worker) = Primary::new().await;
    let v4 = |host: Option<&str>, port| Address::Tcp {
        host: host.map(Into::into),
        port,
        family: Family::V4,
        ipv6_only: false,
    };
    let v6_at = |host: &str, port| Address::Tcp {
        host: Some(host.into()),
        port,
        family: Family::V6,
        ipv6_only: false,
    };
    let v6 = |host: &str, ipv6_only| Address::Tcp {
        host: Some(host.into()),
        port: 80,
        family: Family::V6,
        ipv6_only,
    };
    let cases = [
        (Listen::from(8000), v4(None, 8000), None),
        (":8001".into(), v4(None, 8001), None),
        (Listen::from("127.0.0.1:0").backlog(9), v4(Some("127.0.0.1"), 0), Some(9)),
        (Listen::from("[::1]:80"), v6("::1", false), None),
        (Listen::from("*:80").ipv6_only(), v6("::", true), None),
        (Listen::from("[fe80::1%lo]:80"), v6("fe80::1%lo", false), None),
        (Listen::from("[fe80::1%1]:81"), v6_at("fe80::1%1", 81), None),
        (Listen::fd(20), Address::Fd { fd: 20 }, None),
        (([127, 0, 0, 1], 80).into(), v4(Some("127.0.0.1"), 80), None),
    ];
    for (listen, address, backlog) in cases {
        let worker = worker.clone();
        let asking = tokio::spawn(async move { worker.listen(listen).await.map(drop) });
        let (ack, query) = primary.query().await;
        let refusal = reply(ack, query.key(), Reply::Failed(Errno::ACCESS));
        assert_eq!((query.address, query.backlog), (address, backlog));
        // Some are for one key: the next is asked when this one is answered.
        primary.say(&refusal, None, 1).await;
        soon(asking).await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn a_port_given_up_before_the_answer_can_be_had_again_at_once() {
    let (mut primary, worker) = Primary::new().await;
    let first = worker.listen("127.0.0.1:80");
    let given_up = tokio::time::timeout(std::time::Duration::ZERO, first).await;
    assert!(given_up.is_err(), "nobody has answered");
    let at = "127.0.0.1:80".parse().unwrap();
    let answers = async {
        let (ack, query) = primary.query().await;
        let sockname = Some(SockName { address: "127.0.0.1".into(), family: Family::V4, port: 80 });
        primary.say(&reply(ack, query.key(), Reply::Handover { sockname }), None, 1).await;
        assert_eq!(primary.heard().await, FromWorker::Close { key: query.key() });
        primary.grant(at).await;
    };
    let (again, ()) = tokio::join!(soon(worker.listen(at)), answers);
    assert_eq!(again.unwrap().local_addr().unwrap(), at);
}

#[tokio::test]
async fn the_zone_that_the_primary_tells_is_in_the_address() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async {
        let (ack, query) = primary.query().await;
        let sockname =
            Some(SockName { address: "fe80::1%lo".into(), family: Family::V6, port: 80 });
        primary.say(&reply(ack, query.key(), Reply::Handover { sockname }), None, 1).await;
    };
    let (listener, ()) = tokio::join!(soon(worker.listen("[fe80::1%lo]:80")), answer);
    let SocketAddr::V6(at) = listener.unwrap().local_addr().unwrap() else { panic!("it is IPv6") };
    assert_eq!((at.scope_id(), at.port()), (1, 80));
}

#[tokio::test]
async fn a_descriptor_of_the_other_kind_is_refused_and_given_back() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async |primary: &mut Primary, sockname| {
        let (ack, query) = primary.query().await;
        primary.say(&reply(ack, query.key(), Reply::Handover { sockname }), None, 1).await;
        assert!(matches!(primary.heard().await, FromWorker::Listening { .. }));
        assert_eq!(primary.heard().await, FromWorker::Close { key: query.key() });
    };
    let refused = |error: Error| matches!(error, Error::Listen(it) if it.code() == "EINVAL");
    let (tcp, ()) = tokio::join!(soon(worker.listen(Listen::fd(3))), answer(&mut primary, None));
    assert!(refused(tcp.unwrap_err()));
    let sockname = Some(SockName { address: "::1".into(), family: Family::V6, port: 80 });
    let unix = worker.listen_unix(ListenUnix::fd(3));
    let (unix, ()) = tokio::join!(soon(unix), answer(&mut primary, sockname));
    assert!(refused(unix.unwrap_err()));
}

#[tokio::test]
async fn sockets_that_reuse_a_port_ask_nobody_and_share_it() {
    let (mut primary, worker) = Primary::new().await;
    let reuse = |at: SocketAddr| Listen::from(at).reuse_port();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let first = soon(worker.listen(reuse(any))).await.unwrap();
    let at = first.local_addr().unwrap();
    let second = soon(worker.listen(reuse(at))).await.unwrap();
    let error = soon(worker.listen(Listen::from(at).exclusive())).await.unwrap_err();
    assert!(matches!(error, Error::Listen(it) if it.code() == "EADDRINUSE"));
    for _ in 0..20 {
        let _client = std::net::TcpStream::connect(at).unwrap();
        // Whichever of them the kernel chose.
        tokio::select! {
            it = soon(first.accept()) => drop(it.unwrap()),
            it = soon(second.accept()) => drop(it.unwrap()),
        }
    }
    worker.send(&1).unwrap();
    primary.user_message().await;
}

#[tokio::test]
async fn an_exclusive_path_is_told_as_it_was_asked_for_and_goes_with_its_listener() {
    let (mut primary, worker) = Primary::new().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let listen = || worker.listen_unix(ListenUnix::from(&path).exclusive());
    let listener = soon(listen()).await.unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path.as_path()));
    let error = soon(listen()).await.unwrap_err();
    assert!(matches!(error, Error::Listen(it) if it.code() == "EADDRINUSE"));
    listener.close();
    assert!(!path.exists());
    let kept = soon(listen()).await.unwrap().into_std().unwrap();
    primary.say(&portcrew_core::ToWorker::Disconnect, None, 1).await;
    soon(worker.draining()).await;
    std::os::unix::net::UnixStream::connect(&path).unwrap();
    drop(kept);
}

#[tokio::test]
async fn nonsense_is_refused_before_anybody_is_asked() {
    let (mut primary, worker) = Primary::new().await;
    for address in ["nowhere", "127.0.0.1:x"] {
        let error = soon(worker.listen(address)).await.unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{error:?}");
    }
    let error = soon(worker.listen(Listen::fd(3).exclusive())).await.unwrap_err();
    assert!(matches!(error, Error::Address { .. }), "{error:?}");
    worker.send(&1).unwrap();
    primary.user_message().await;
}

#[tokio::test]
async fn an_exclusive_listener_asks_nobody_and_is_closed_with_the_others() {
    let (mut primary, worker) = Primary::new().await;
    let listener = soon(worker.listen(Listen::from("127.0.0.1:0").exclusive())).await.unwrap();
    let at = listener.local_addr().unwrap();
    let client = std::net::TcpStream::connect(at).unwrap();
    let (_stream, peer) = soon(listener.accept()).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    let again = soon(worker.listen(Listen::from(at).exclusive())).await.unwrap_err();
    assert_eq!(io::Error::from(again).kind(), io::ErrorKind::AddrInUse);
    let (waiting, ()) = tokio::join!(soon(listener.accept()), async {
        settle().await;
        primary.say(&portcrew_core::ToWorker::Disconnect, None, 1).await;
    });
    assert_eq!(waiting.unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert!(std::net::TcpStream::connect(at).is_err(), "the socket is still open");
}

#[tokio::test]
async fn a_listening_handle_serves_and_can_be_had_back() {
    let (_primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let listener = worker.listen_handle(real).unwrap();
    let _client = std::net::TcpStream::connect(at).unwrap();
    soon(listener.accept()).await.unwrap();
    let back = listener.into_std().unwrap();
    assert_eq!(back.local_addr().unwrap(), at);
    let _client = std::net::TcpStream::connect(at).unwrap();
    soon(worker.listen_handle(back).unwrap().accept()).await.unwrap();
}

#[tokio::test]
async fn under_round_robin_there_is_no_socket_to_have() {
    let (mut primary, worker) = Primary::new().await;
    let at = "127.0.0.1:80".parse().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let error = listener.unwrap().into_std().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}
