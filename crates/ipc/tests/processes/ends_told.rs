//! Of which listeners the kernel tells.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use portcrew_ipc::ends::tells_of;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::common::{DEADLINE, skipped};

fn told(listener: &impl AsFd) -> bool {
    tells_of(listener.as_fd()).unwrap()
}

#[test]
fn tcp_listeners_are_told_of_whatever_their_family() {
    assert!(told(&TcpListener::bind("127.0.0.1:0").unwrap()));
    match TcpListener::bind("[::]:0") {
        Ok(listener) => assert!(told(&listener)),
        Err(error) => skipped(&format!("no IPv6: {error}")),
    }
}

#[test]
fn sockets_that_do_not_listen_for_tcp_are_not_told_of() {
    let directory = tempfile::tempdir().unwrap();
    assert!(!told(&UnixListener::bind(directory.path().join("socket")).unwrap()));
    assert!(!told(&std::net::UdpSocket::bind("127.0.0.1:0").unwrap()));
    let (pipe, _other) = rustix::pipe::pipe().unwrap();
    assert!(tells_of(pipe.as_fd()).is_err());
}

#[test]
fn a_listener_for_mptcp_is_not_told_of() {
    let flags = SocketFlags::CLOEXEC;
    let family = AddressFamily::INET;
    let Ok(listener) = socket_with(family, SocketType::STREAM, flags, Some(ipproto::MPTCP)) else {
        skipped("no MPTCP");
        return;
    };
    bind(&listener, &std::net::SocketAddrV4::new([127, 0, 0, 1].into(), 0)).unwrap();
    listen(&listener, 1).unwrap();
    assert!(!told(&listener));
}

#[test]
fn a_listener_of_another_network_namespace_is_not_told_of() {
    // It has a namespace of its own as long as its input is open.
    let holder = Command::new("unshare").args(["-n", "cat"]).stdin(Stdio::piped()).spawn();
    let Some(mut holder) = holder.ok().filter(|_| rustix::process::geteuid().is_root()) else {
        skipped("only root may make a network namespace, by unshare(1)");
        return;
    };
    let theirs = format!("/proc/{}/ns/net", holder.id());
    let hang = Instant::now() + DEADLINE;
    while fs::read_link(&theirs).unwrap() == fs::read_link("/proc/self/ns/net").unwrap() {
        assert!(Instant::now() < hang, "unshare does nothing");
        std::thread::yield_now();
    }
    let namespace = File::open(&theirs).unwrap();
    let listener = std::thread::spawn(move || {
        // Of this thread alone.
        let kind = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(namespace.as_fd(), kind).unwrap();
        TcpListener::bind("0.0.0.0:0").unwrap()
    });
    assert!(!told(&listener.join().unwrap()));
    drop(holder.stdin.take());
    holder.wait().unwrap();
}
