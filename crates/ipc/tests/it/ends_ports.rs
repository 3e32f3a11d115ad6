//! Of which connections an `Ends` is told: families, ports, strangers, privileges.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::net::TcpListener;
use std::os::fd::AsFd;

use portcrew_ipc::ends::{Cookie, Ends, EndsPart, FILTERED_PORTS, News, Survey};
use rustix::fs::{OFlags, fcntl_getfl};
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, sendto, socket_with};

use crate::common::ends_world::{World, connect, name, news, over, port};
use crate::common::skipped;

async fn is_told_at(address: &str) {
    let Ok(mut world) = World::at(address) else {
        skipped(&format!("{address} cannot be listened at"));
        return;
    };
    let (server, _client) = world.connect();
    let (known, ports) = (name(&server), [port(&world.listener)]);
    assert_eq!(over([known], &ports).await, [].into());
    assert_eq!(over([known], &[]).await, [].into());
    drop(server);
    assert_eq!(world.told(1).await, [known]);
    assert_eq!(over([known], &ports).await, [known].into());
}

#[tokio::test]
async fn an_ipv4_connection_is_told() {
    is_told_at("127.0.0.1:0").await;
}

#[tokio::test]
async fn an_ipv6_connection_is_told() {
    is_told_at("[::1]:0").await;
}

#[tokio::test]
async fn an_ipv4_client_of_a_listener_for_both_is_told() {
    is_told_at("[::]:0").await;
}

#[tokio::test]
async fn twenty_thousand_closes_of_strangers_bring_nothing_and_lose_nothing() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut strangers = HashSet::new();
    // Two sockets each, and nobody reads meanwhile: they would not fit into the buffer.
    for _ in 0..10_000 {
        let (server, client) = connect(&listener);
        strangers.extend([name(&server), name(&client)]);
        drop((server, client));
    }
    drop(server);
    let mut ended = Vec::new();
    // A port is a number: another test may have the same one at another address, and its ends are told here too.
    while !ended.contains(&known) {
        assert_eq!(news(&mut world.ends, &mut ended).await, News::Ended);
    }
    assert!(ended.iter().all(|it| !strangers.contains(it)));
}

#[tokio::test]
async fn connections_that_end_while_ports_are_replaced_are_told() {
    // As many as the smallest usual buffer holds.
    const CONNECTIONS: usize = 200;
    let mut world = World::new();
    let kept = port(&world.listener);
    let (servers, clients): (Vec<_>, Vec<_>) = (0..CONNECTIONS).map(|_| world.connect()).unzip();
    let mut known: Vec<_> = servers.iter().map(name).collect();
    let closing = std::thread::spawn(move || servers.into_iter().for_each(drop));
    // Ports at which no test listens.
    let mut others = (1..1000).cycle();
    while !closing.is_finished() {
        let mut ports: Vec<u16> = others.by_ref().take(7).collect();
        ports.insert(3, kept);
        world.ends.set_ports(&ports).unwrap();
        world.ends.set_ports(&[kept]).unwrap();
    }
    closing.join().unwrap();
    let mut told = world.told(CONNECTIONS).await;
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
    drop(clients);
}

#[tokio::test]
async fn a_port_that_is_left_out_is_told_no_more_and_one_that_is_new_is_told() {
    let mut world = World::new();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let (first, _client) = world.connect();
    let (second, _client) = connect(&other);
    let known = name(&second);
    world.ends.set_ports(&[port(&other)]).unwrap();
    drop(first);
    drop(second);
    // The kernel has said what there is to be said of the first one too when it is told of a third.
    assert_eq!(world.told(1).await, [known]);
    world.ends.set_ports(&[port(&world.listener), port(&other)]).unwrap();
    assert_eq!(world.told_so_far().await, []);
}

#[tokio::test]
async fn no_port_is_told_before_one_is_named() {
    let mut world = World::new();
    // The kernel tells the one that was opened last first.
    let mut silent = Ends::open().unwrap();
    let (first, _client) = world.connect();
    let (second, _client) = world.connect();
    let (unheard, known) = (name(&first), name(&second));
    drop(first);
    assert_eq!(world.told(1).await, [unheard]);
    silent.set_ports(&[port(&world.listener)]).unwrap();
    drop(second);
    let mut told = Vec::new();
    assert_eq!(news(&mut silent, &mut told).await, News::Ended);
    assert_eq!(told, [known]);
}

#[tokio::test]
async fn as_many_ports_as_may_be_and_more_are_told() {
    let mut world = World::new();
    let kept = port(&world.listener);
    // Twice, since the old filter and the new one are in memory at once.
    for count in [FILTERED_PORTS, FILTERED_PORTS, FILTERED_PORTS + 1] {
        let mut ports: Vec<u16> = (1..).filter(|it| *it != kept).take(count - 1).collect();
        ports.push(kept);
        world.ends.set_ports(&ports).unwrap();
        while !is_told(&mut world, &ports).await {}
    }
}

/// Whether the end of a new connection was told, or lost among those of strangers.
async fn is_told(world: &mut World, ports: &[u16]) -> bool {
    let (server, _client) = world.connect();
    let known = name(&server);
    assert_eq!(over([known], ports).await, [].into());
    drop(server);
    let mut ended = Vec::new();
    while !ended.contains(&known) {
        if news(&mut world.ends, &mut ended).await == News::Overflowed {
            return false;
        }
    }
    true
}

/// Runs on a thread without any privilege, whoever runs the tests.
fn without_privileges<R: Send>(run: impl AsyncFnOnce() -> R + Send) -> R {
    let body = || {
        if rustix::process::geteuid().is_root() {
            // Of this thread alone, and of those that it starts.
            let nobody = rustix::thread::Uid::from_raw(65_533);
            rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        }
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        assert!(status.contains("CapEff:\t0000000000000000"), "{status}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run())
    };
    std::thread::scope(|scope| scope.spawn(body).join().unwrap())
}

#[test]
fn no_privilege_is_needed() {
    without_privileges(async || is_told_at("127.0.0.1:0").await);
    without_privileges(async || is_told_at("[::1]:0").await);
}

#[test]
fn another_users_connections_are_told_too() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, _client) = connect(&listener);
    let known = name(&server);
    without_privileges(async || {
        let mut world = World { ends: Ends::open().unwrap(), listener };
        world.ends.set_ports(&[port(&world.listener)]).unwrap();
        assert_eq!(over([known], &[port(&world.listener)]).await, [].into());
        drop(server);
        assert_eq!(world.told(1).await, [known]);
    });
}

#[tokio::test]
async fn what_is_not_the_kernels_is_not_believed() {
    if !rustix::process::geteuid().is_root() {
        skipped("only root may write to another's netlink socket");
        return;
    }
    let mut world = World::new();
    let address = rustix::net::getsockname(world.ends.as_fd()).unwrap();
    let to = SocketAddrNetlink::try_from(address).unwrap();
    let flags = SocketFlags::CLOEXEC;
    let from = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG));
    // An end as the kernel tells it, of our port, so that the filter lets it pass.
    let mut forged = [0; 88];
    forged[..4].copy_from_slice(&88_u32.to_ne_bytes());
    forged[4..6].copy_from_slice(&20_u16.to_ne_bytes());
    forged[16] = 2;
    forged[20..22].copy_from_slice(&port(&world.listener).to_be_bytes());
    forged[60..64].copy_from_slice(&77_u32.to_ne_bytes());
    let to = SocketAddrNetlink::new(to.pid(), 0);
    assert_eq!(sendto(from.unwrap(), &forged, SendFlags::empty(), &to).unwrap(), forged.len());
    let told = world.told_so_far().await;
    assert!(!told.contains(&Cookie(77)), "{told:?}");
    assert_eq!(told, []);
}

#[tokio::test]
async fn it_is_closed_on_exec_and_never_blocks() {
    let ends = Ends::open().unwrap();
    assert!(fcntl_getfd(&ends).unwrap().contains(FdFlags::CLOEXEC));
    assert!(fcntl_getfl(&ends).unwrap().contains(OFlags::NONBLOCK));
}

#[test]
fn without_a_runtime_it_is_an_error_and_no_panic() {
    assert_eq!(Ends::open().unwrap_err().part(), EndsPart::Runtime);
    assert!(Survey::start([Cookie(1)].into(), &[]).is_err());
}
