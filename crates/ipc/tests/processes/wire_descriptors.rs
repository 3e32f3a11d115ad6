//! Descriptors that are lost for want of room, and descriptors that must not stay. Each test has a process of
//! its own, since limits and counts belong to a process.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::future::poll_fn;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::Command;

use portcrew_ipc::channel::{Channel, Incoming};
use portcrew_ipc::error::ChannelError;
use portcrew_ipc::lane::{ConnRecord, LanePrimary, LaneWorker};
use portcrew_ipc::message::{Packet, UserMessage};
use portcrew_ipc::socket;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::common::wire::{channel, descriptor, next, received, send, within};

const NEWCONN: &str = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"cmd\":\"NODE_CLUSTER\",\"act\":\"newconn\",\"key\":\"k\",\"seq\":2}}\n";
const USER: &str = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":1}\n";

/// Marks the process that [`alone`] starts.
const ALONE: &str = "PORTCREW_TEST_ALONE";

/// Leaves room for exactly `more` descriptors.
fn leave_room_for(more: u64) {
    let lowest_free = descriptor().as_raw_fd();
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(u64::try_from(lowest_free).unwrap() + more);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

fn all_room() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// Runs `body` in a process in which nothing else runs: for limits and counts that belong to a process.
/// `test` is the full name of the calling test.
fn alone(test: &str, body: impl Future<Output = ()>) {
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        return runtime.block_on(body);
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && report.contains("1 passed"), "{report}");
}

/// How many descriptors this process has open.
fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_lost_connection_is_acknowledged_and_told_and_a_lost_user_handle_is_refused() {
    alone(
        "wire_descriptors::a_lost_connection_is_acknowledged_and_told_and_a_lost_user_handle_is_refused",
        async {
            let (mut channel, peer) = channel();
            let fd = descriptor();
            send(&peer, NEWCONN, Some(&fd));
            leave_room_for(0);
            let Incoming::Cluster { handle: None, .. } = next(&mut channel).await else {
                panic!("a connection without its descriptor")
            };
            assert_eq!(received(&peer).0, "{\"cmd\":\"NODE_HANDLE_ACK\"}\n");
            assert_eq!(channel.lost_descriptors(), 1);

            send(&peer, USER, Some(&fd));
            send(&peer, "5\n", None);
            let Incoming::User { handle: None, message } = next(&mut channel).await else {
                panic!("the message behind")
            };
            assert_eq!(message.as_str(), "5", "nothing is delivered for a refused handle");
            assert_eq!(received(&peer).0, "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");

            all_room();
            send(&peer, NEWCONN, Some(&fd));
            let Incoming::Cluster { handle: Some(_), .. } = next(&mut channel).await else {
                panic!("with room again, a connection with its descriptor")
            };
        },
    );
}

#[test]
fn a_lane_tells_which_connections_of_a_batch_were_lost() {
    alone("wire_descriptors::a_lane_tells_which_connections_of_a_batch_were_lost", async {
        let (primary, worker) = socket::pair_seqpacket().unwrap();
        let mut primary = LanePrimary::from_fd(primary).unwrap();
        let mut worker = LaneWorker::from_fd(worker).unwrap();
        let records: Vec<_> = (0..5).map(|seq| ConnRecord { seq, listener: 1 }).collect();
        let fds: Vec<_> = (0..5).map(|_| descriptor()).collect();
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        primary.try_offer(&records, &borrowed).unwrap();
        leave_room_for(2);
        let mut conns = Vec::new();
        within(poll_fn(|cx| worker.poll_conns(cx, &mut conns))).await.unwrap();
        let arrived: Vec<_> = conns.iter().map(|(record, fd)| (record.seq, fd.is_some())).collect();
        assert_eq!(arrived, [(0, true), (1, true), (2, false), (3, false), (4, false)]);
    });
}

/// Everything that a peer can do wrong with descriptors.
fn misuse(peer: &OwnedFd, fd: &OwnedFd) {
    let send = |bytes: &str, count: usize| {
        socket::send(peer, bytes.as_bytes(), &vec![fd.as_fd(); count]).unwrap();
    };
    send("5\n", 1);
    send("5\n", socket::MESSAGE_DESCRIPTORS);
    send("\n\n\n", 2);
    send("\"begun", 3);
    send(" and ended\"\n", 2);
    send("{\"cmd\":\"NODE_HANDLE_ACK\"}\n", 1);
    send("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Nonsense\",\"msg\":1}\n", 1);
    send("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\"}\n", 1);
    send("{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":{\"cmd\":\"NODE_ODD\"}}\n", 1);
    send(&USER.repeat(3), 3);
    send(USER, 1);
    send("\"cut o", 1);
}

async fn drain(channel: &mut Channel) {
    while let Some(incoming) = within(channel.recv()).await {
        incoming.unwrap();
    }
}

#[test]
fn no_descriptor_stays_behind_whatever_a_peer_does_with_them() {
    alone("wire_descriptors::no_descriptor_stays_behind_whatever_a_peer_does_with_them", async {
        let fd = descriptor();
        let before = open_descriptors();
        for _ in 0..200 {
            let (mut channel, peer) = channel();
            misuse(&peer, &fd);
            drop(peer);
            drain(&mut channel).await;
            assert_eq!(open_descriptors(), before + 1, "only the channel's own is open");
        }
        assert_eq!(open_descriptors(), before);
    });
}

#[test]
fn descriptors_that_were_never_read_are_closed_with_the_channel() {
    alone(
        "wire_descriptors::descriptors_that_were_never_read_are_closed_with_the_channel",
        async {
            let fd = descriptor();
            let before = open_descriptors();
            let (mut unread, peer) = channel();
            misuse(&peer, &fd);
            let first = next(&mut unread).await;
            drop((first, unread, peer));
            assert_eq!(open_descriptors(), before);
        },
    );
}

#[test]
fn without_a_descriptor_to_wait_for_room_with_that_is_told_and_nothing_is_lost() {
    alone(
        "wire_descriptors::without_a_descriptor_to_wait_for_room_with_that_is_told_and_nothing_is_lost",
        async {
            let (mut channel, peer) = channel();
            let message = Packet::User(UserMessage::new(&"x".repeat(1000)).unwrap());
            let mut queued = 0;
            while channel.try_flush().unwrap() {
                channel.queue(&message, None).unwrap();
                queued += 1;
            }
            leave_room_for(0);
            let flushed = poll_fn(|cx| channel.poll_flush(cx)).await;
            assert!(matches!(flushed, Err(ChannelError::System(_))), "{flushed:?}");

            all_room();
            let mut arrived = 0;
            while arrived < queued {
                arrived += received(&peer).0.matches('\n').count();
                within(poll_fn(|cx| channel.poll_flush(cx))).await.unwrap();
            }
            assert!(channel.is_idle());
        },
    );
}
