//! Reads of well-behaved, broken and hostile peers.

mod together;

use super::*;
use crate::channel::{ChannelSettings, OutgoingHandle};
use crate::message::ClusterBody;
use std::fs::File;

const CLUSTER: &str = r#"{"cmd":"NODE_CLUSTER","act":"newconn","key":"k","seq":2}"#;

struct Pair {
    inbox: Inbox,
    outbox: Outbox<u64>,
}

impl Pair {
    fn new() -> Self {
        let settings = ChannelSettings::default();
        Self { inbox: Inbox::new(1000), outbox: Outbox::new(&settings) }
    }

    /// One read of `bytes` with `fds` descriptors.
    fn read(&mut self, bytes: &str, fds: usize, truncated: bool) -> Vec<Incoming> {
        let fds = (0..fds).map(|_| File::open("/dev/null").unwrap().into()).collect();
        let received = Received { n: bytes.len(), fds, truncated, cut: false };
        self.inbox.push(bytes.as_bytes(), received);
        std::iter::from_fn(|| self.inbox.next(&mut self.outbox).unwrap()).collect()
    }

    fn answers(&self) -> String {
        let chunk = self.outbox.front();
        chunk.map_or_else(String::new, |chunk| String::from_utf8(chunk.bytes.to_vec()).unwrap())
    }
}

fn wrapped(kind: &str, inner: &str) -> String {
    format!("{{\"cmd\":\"NODE_HANDLE\",\"type\":\"{kind}\",\"msg\":{inner}}}\n")
}

const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const NACK: &str = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

#[test]
fn a_handle_is_acknowledged_and_delivered() {
    let mut pair = Pair::new();
    let incoming = pair.read(&wrapped("net.Socket", "5"), 1, false);
    assert!(matches!(&incoming[..], [Incoming::User { handle: Some(_), .. }]), "{incoming:?}");
    assert_eq!(pair.answers(), ACK);
}

#[test]
fn a_user_message_without_its_handle_is_refused_and_not_delivered() {
    let mut pair = Pair::new();
    assert!(pair.read(&wrapped("net.Socket", "5"), 0, false).is_empty());
    assert_eq!(pair.answers(), NACK);
}

#[test]
fn a_connection_whose_descriptor_was_lost_is_acknowledged_and_delivered_without() {
    let mut pair = Pair::new();
    let incoming = pair.read(&wrapped("net.Native", CLUSTER), 0, true);
    assert!(matches!(&incoming[..], [Incoming::Cluster { handle: None, .. }]), "{incoming:?}");
    assert_eq!(pair.answers(), ACK);
    assert_eq!(pair.inbox.lost_descriptors(), 1);
}

#[test]
fn a_retransmission_is_acknowledged_once() {
    let mut pair = Pair::new();
    let twice = wrapped("net.Native", wrapped("net.Socket", "5").trim_end());
    let incoming = pair.read(&twice, 1, false);
    let [Incoming::User { handle: Some(handle), .. }] = &incoming[..] else { panic!("user") };
    assert_eq!(handle.kind, HandleKind::NetSocket { key: None });
    assert_eq!(pair.answers(), ACK);
}

#[test]
fn after_a_loss_in_a_read_no_descriptor_of_it_is_trusted() {
    let mut pair = Pair::new();
    let three = wrapped("net.Native", CLUSTER).repeat(3);
    let incoming = pair.read(&three, 2, true);
    let without = |incoming: &Incoming| matches!(incoming, Incoming::Cluster { handle: None, .. });
    assert!(incoming.len() == 3 && incoming.iter().all(without), "{incoming:?}");
}

#[test]
fn a_descriptor_where_none_belongs_is_an_offence_and_the_message_counts() {
    let mut pair = Pair::new();
    let incoming = pair.read("5\n", 1, false);
    let [Incoming::Offence(Offence::UnwantedDescriptor), Incoming::User { handle: None, .. }] =
        &incoming[..]
    else {
        panic!("{incoming:?}")
    };
    assert_eq!(pair.answers(), "");
}

#[test]
fn descriptors_without_any_line_are_one_offence() {
    let mut pair = Pair::new();
    let incoming = pair.read("5\n", 3, false);
    let told = incoming.iter().any(|incoming| {
        matches!(incoming, Incoming::Offence(Offence::SurplusDescriptors { count: 2 }))
    });
    assert!(told, "{incoming:?}");
}

#[test]
fn an_unknown_type_is_refused_so_that_the_peer_does_not_wait() {
    let mut pair = Pair::new();
    let incoming = pair.read(&wrapped("net.Nonsense", "5"), 1, false);
    let [Incoming::Offence(Offence::UnknownHandleType { name })] = &incoming[..] else {
        panic!("{incoming:?}")
    };
    assert_eq!(name, "net.Nonsense");
    assert_eq!(pair.answers(), NACK);
}

#[test]
fn a_bad_line_does_not_hide_the_next_one() {
    let mut pair = Pair::new();
    let incoming = pair.read("{\n\n5\n", 0, false);
    let [
        Incoming::Offence(Offence::BadLine(_)),
        Incoming::Offence(Offence::BadLine(_)),
        Incoming::User { .. },
    ] = &incoming[..]
    else {
        panic!("{incoming:?}")
    };
}

#[test]
fn an_answer_that_nobody_waits_for_is_an_offence() {
    for line in [ACK, NACK] {
        let incoming = Pair::new().read(line, 0, false);
        let [Incoming::Offence(Offence::SpuriousAnswer)] = &incoming[..] else {
            panic!("{incoming:?}")
        };
    }
}

#[test]
fn to_a_peer_that_marks_its_cluster_messages_ours_are_marked_and_nothing_else_is() {
    let mut pair = Pair::new();
    let online = "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":0}\n";
    let disconnect = Packet::Cluster(ClusterMessage::new(1, ClusterBody::Disconnect));
    let plain = "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"disconnect\",\"seq\":1}\n";
    pair.read(online, 0, false);
    pair.outbox.queue(&disconnect, None).unwrap();
    assert_eq!(pair.answers(), plain);
    assert_eq!(pair.read(&format!("\x02{online}"), 0, false).len(), 1);
    pair.outbox.queue(&disconnect, None).unwrap();
    pair.outbox.queue(&Packet::User(UserMessage::new(&5).unwrap()), None).unwrap();
    assert_eq!(pair.answers(), format!("{plain}\x02{plain}5\n"));
}

#[test]
fn to_such_a_peer_a_connection_goes_with_a_marked_line_and_other_descriptors_as_to_node() {
    let mut pair = Pair::new();
    pair.read("\x02{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":0}\n", 0, false);
    let inner = || Inner::Cluster(ClusterMessage::new(1, ClusterBody::NewConn { key: "k".into() }));
    for (token, kind) in [HandleKind::NetNative, HandleKind::DgramNative].into_iter().enumerate() {
        let packet = Packet::Handle { kind, inner: inner() };
        let token = token as u64;
        pair.outbox.queue(&packet, Some(OutgoingHandle { fd: token, token })).unwrap();
    }
    let connection = pair.answers();
    let fields = "\"act\":\"newconn\",\"key\":\"k\",\"seq\":1,\"$hasHandle\":true";
    assert_eq!(connection, format!("\x02{{\"cmd\":\"NODE_CLUSTER\",{fields}}}\n"));
    assert_eq!(pair.outbox.front().unwrap().fd, Some(&0));
    pair.outbox.advance(connection.len());
    assert_eq!(pair.read(ACK, 0, false).len(), 1);
    let other = pair.answers();
    assert!(other.starts_with("{\"cmd\":\"NODE_HANDLE\",\"type\":\"dgram.Native\""), "{other}");
}
