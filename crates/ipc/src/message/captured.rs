//! Lines of real Node 20 processes, each understood and written back byte for byte.
//!
//! Those of the cluster and of `net.Native` were captured (paths and numbers shortened). The ticket keys, the
//! counting of sockets and the `net.Server` and `dgram.Socket` handles follow Node's source.

use super::*;
use crate::handle::{DgramType, HandleKind};

/// Worker to primary: one line per form of `listen` and `bind`, in the order in which a worker sent them.
const WORKER: &[&str] = &[
    r#"{"cmd":"NODE_CLUSTER","act":"online","seq":0}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":null,"port":18123,"addressType":4,"backlog":0,"seq":1}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"listening","index":0,"data":null,"address":null,"port":18123,"addressType":4,"backlog":0,"seq":2}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"127.0.0.1","port":0,"addressType":4,"flags":0,"backlog":0,"seq":5}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":1,"data":null,"address":"127.0.0.1","port":0,"addressType":4,"flags":0,"backlog":99,"seq":7}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"::1","port":0,"addressType":6,"flags":0,"backlog":0,"seq":9}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"::","port":0,"addressType":6,"flags":1,"backlog":0,"seq":11}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"listening","index":0,"data":null,"address":"/run/x.sock","port":-1,"addressType":-1,"backlog":0,"seq":14}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"/run/y.sock","port":-1,"addressType":-1,"backlog":0,"readableAll":true,"writableAll":true,"seq":15}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":null,"port":null,"addressType":null,"fd":20,"backlog":0,"seq":17}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"0.0.0.0","port":0,"addressType":"udp4","fd":-1,"flags":0,"seq":18}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"127.0.0.1","port":0,"addressType":"udp4","fd":-1,"flags":4,"seq":19}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"::1","port":0,"addressType":"udp6","fd":-1,"flags":1,"seq":20}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":null,"port":null,"addressType":"udp4","fd":21,"flags":null,"seq":21}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":{"ticketKeys":"00ff"},"address":null,"port":443,"addressType":4,"backlog":0,"seq":1}"#,
    r#"{"cmd":"NODE_HANDLE_ACK"}"#,
    r#"{"cmd":"NODE_HANDLE_NACK"}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":2,"accepted":true,"seq":6}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"close","key":"127.0.0.1:0:4:undefined:0","seq":7}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"exitedAfterDisconnect","seq":30}"#,
    "{\"done\":1,\"text\":\"ü\u{2028}\u{7f}\\u0001\\\"\\\\/\"}",
];

/// Primary to worker.
const PRIMARY: &[&str] = &[
    r#"{"cmd":"NODE_CLUSTER","errno":null,"key":"null:18123:4:undefined:0","ack":1,"data":null,"sockname":{"address":"::","family":"IPv6","port":18123},"seq":0}"#,
    r#"{"cmd":"NODE_CLUSTER","errno":null,"key":"/run/x.sock:-1:-1:undefined:0","ack":23,"data":null,"seq":1}"#,
    r#"{"cmd":"NODE_CLUSTER","errno":-98,"key":"127.0.0.1:41509:4:undefined:0","ack":31,"data":null,"seq":12}"#,
    r#"{"cmd":"NODE_CLUSTER","ack":30,"seq":13}"#,
    r#"{"cmd":"NODE_CLUSTER","act":"disconnect","seq":22}"#,
    r#"{"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_CLUSTER","act":"newconn","key":"127.0.0.1:0:4:undefined:0","seq":2}}"#,
    r#"{"cmd":"NODE_HANDLE","type":"net.Native","msg":{"cmd":"NODE_CLUSTER","errno":0,"key":"null:18123:4:undefined:0","ack":1,"data":null,"seq":0}}"#,
    r#"{"cmd":"NODE_HANDLE","type":"dgram.Native","msg":{"cmd":"NODE_CLUSTER","errno":0,"key":"0.0.0.0:0:udp4:-1:0","ack":34,"data":null,"seq":15}}"#,
    r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"user":1},"key":"4:127.0.0.1:0"}"#,
    r#"{"cmd":"NODE_HANDLE","type":"net.Server","msg":"server"}"#,
    r#"{"cmd":"NODE_HANDLE","type":"dgram.Socket","msg":null,"dgramType":"udp6"}"#,
    r#"{"cmd":"NODE_SOCKET_GET_COUNT","key":"4:127.0.0.1:0"}"#,
    r#"{"cmd":"NODE_SOCKET_COUNT","key":"4:127.0.0.1:0","count":3}"#,
    r#"{"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":"4:127.0.0.1:0"}"#,
    r#"{"cmd":"NODE_SOCKET_ALL_CLOSED","key":"4:127.0.0.1:0"}"#,
];

fn understand(line: &str) -> Packet {
    parse(line.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error:?}"))
}

fn cluster(line: &str) -> ClusterMessage {
    match understand(line) {
        Packet::Cluster(message) => message,
        other => panic!("no cluster message: {other:?}"),
    }
}

#[test]
fn each_line_is_written_back_byte_for_byte() {
    for line in WORKER.iter().chain(PRIMARY) {
        let packet = understand(line);
        assert!(!matches!(packet, Packet::Unknown { .. }), "{line}");
        let mut written = Vec::new();
        packet.encode(&mut written);
        assert_eq!(String::from_utf8(written).unwrap(), format!("{line}\n"), "{packet:?}");
    }
}

#[test]
fn the_fields_of_a_query_mean_what_they_say() {
    let ClusterBody::QueryServer(query) = cluster(WORKER[8]).body else { panic!("query") };
    assert_eq!(query.address.as_deref(), Some("/run/y.sock"));
    assert_eq!((query.port, query.address_type, query.fd), (Some(-1), AddressType::Pipe, None));
    assert_eq!((query.readable_all, query.writable_all), (Some(true), Some(true)));
    let ClusterBody::QueryServer(query) = cluster(WORKER[12]).body else { panic!("query") };
    assert_eq!((query.address_type, query.fd, query.flags), (AddressType::Udp6, Some(-1), Some(1)));
}

#[test]
fn an_answer_to_number_zero_is_an_answer() {
    let message = cluster(r#"{"cmd":"NODE_CLUSTER","ack":0,"accepted":false,"seq":1}"#);
    assert_eq!(message, ClusterMessage::reply(1, 0, Reply::accepted(false)));
}

#[test]
fn an_answer_may_also_ask() {
    let message = cluster(r#"{"cmd":"NODE_CLUSTER","act":"disconnect","ack":4,"seq":1}"#);
    assert_eq!((message.ack, message.body), (Some(4), ClusterBody::Disconnect));
}

#[test]
fn the_three_kinds_of_success_stay_apart() {
    let errno = |fields: &str| {
        let line = format!(r#"{{"cmd":"NODE_CLUSTER",{fields}"key":"k","ack":1,"seq":2}}"#);
        let ClusterBody::Reply(reply) = cluster(&line).body else { panic!("reply") };
        reply.errno
    };
    assert_eq!(errno(""), ReplyErrno::Absent);
    assert_eq!(errno(r#""errno":null,"#), ReplyErrno::Null);
    assert_eq!(errno(r#""errno":0,"#), ReplyErrno::Code(0));
    assert_eq!(errno(r#""errno":-98,"#).error(), Some(98));
    assert_eq!(ReplyErrno::from_os_error(98), ReplyErrno::Code(-98));
}

#[test]
fn an_ack_that_can_match_nothing_does_nothing() {
    for ack in ["-1", "1.5", "\"1\"", "null", "{}", "99999999999999999999"] {
        let message = cluster(&format!(r#"{{"cmd":"NODE_CLUSTER","ack":{ack}}}"#));
        let nothing = ClusterBody::Other { act: String::new() };
        assert_eq!(message, ClusterMessage { seq: None, ack: None, body: nothing }, "{ack}");
    }
}

#[test]
fn the_lines_of_bun_are_understood() {
    let online = "\u{2}{\"cmd\":\"NODE_CLUSTER\",\"act\":\"online\",\"seq\":0}";
    assert_eq!(
        cluster(online),
        ClusterMessage::new(0, ClusterBody::Online { lane: None, beat: None })
    );
    let listening = "\u{2}{\"cmd\":\"NODE_CLUSTER\",\"act\":\"listening\",\"port\":80,\"data\":null,\"address\":null,\"addressType\":4}";
    let message = cluster(listening);
    assert_eq!(message.seq, None);
    let ClusterBody::Listening(query) = message.body else { panic!("listening") };
    assert_eq!((query.port, query.address_type), (Some(80), AddressType::Tcp4));
}

#[test]
fn a_backlog_is_read_as_its_user_wrote_it() {
    for (written, read) in
        [("\"511\"", Some(511)), ("511", Some(511)), ("\"x\"", Some(0)), ("null", None)]
    {
        let line =
            format!(r#"{{"cmd":"NODE_CLUSTER","act":"queryServer","backlog":{written},"seq":1}}"#);
        let Ok(Packet::Cluster(ClusterMessage { body: ClusterBody::QueryServer(query), .. })) =
            parse(line.as_bytes())
        else {
            panic!("{line} is no query")
        };
        assert_eq!(query.backlog, read, "{written}");
    }
}

#[test]
fn a_backlog_that_was_not_given_is_none() {
    // Of `server.listen(0, '127.0.0.1', callback)` in Node 20.
    let line = r#"{"cmd":"NODE_CLUSTER","act":"queryServer","index":0,"data":null,"address":"127.0.0.1","port":0,"addressType":4,"flags":0,"backlog":false,"seq":1}"#;
    let ClusterBody::QueryServer(query) = cluster(line).body else { panic!("queryServer") };
    assert_eq!((query.backlog, query.port), (None, Some(0)));
}

#[test]
fn the_old_name_of_the_announcement_is_understood() {
    let message = cluster(r#"{"cmd":"NODE_CLUSTER","act":"suicide","seq":3}"#);
    assert_eq!(message.body, ClusterBody::ExitedAfterDisconnect);
}

#[test]
fn a_retransmission_is_unwrapped_to_its_core() {
    let inner =
        r#"{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"user":1},"key":"4:127.0.0.1:0"}"#;
    let twice = format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{inner}}}"#);
    assert_eq!(understand(&twice), understand(inner));
}

#[test]
fn the_fields_between_our_own_ends_go_both_ways() {
    let reply = Reply {
        listener: Some(3),
        crew: Some(4),
        ..Reply::server(ReplyErrno::Null, Key::from("k"), None, None)
    };
    for message in [
        ClusterMessage::new(0, ClusterBody::Online { lane: Some(1), beat: Some(1) }),
        ClusterMessage::reply(5, 6, reply),
    ] {
        let mut line = Vec::new();
        Packet::from(message.clone()).encode(&mut line);
        assert_eq!(parse(line.trim_ascii_end()).unwrap(), Packet::Cluster(message));
    }
}

#[test]
fn wrong_fields_of_internal_messages_are_the_peers_fault() {
    for line in [
        r#"{"cmd":"NODE_CLUSTER","act":"queryServer","port":"80"}"#,
        r#"{"cmd":"NODE_CLUSTER","act":"queryServer","addressType":5}"#,
        r#"{"cmd":"NODE_CLUSTER","act":"close"}"#,
        r#"{"cmd":"NODE_CLUSTER","act":7}"#,
        r#"{"cmd":"NODE_HANDLE","type":"net.Native"}"#,
        r#"{"cmd":"NODE_SOCKET_COUNT","key":1}"#,
    ] {
        let error = parse(line.as_bytes()).unwrap_err();
        assert_eq!(error.blame(), crate::error::Blame::Peer, "{line}");
    }
}

#[test]
fn a_cluster_message_has_its_own_limit() {
    let line = format!(r#"{{"cmd":"NODE_CLUSTER","act":"{}"}}"#, "x".repeat(CLUSTER_BYTES));
    let error = parse(line.as_bytes()).unwrap_err();
    assert!(matches!(error, crate::error::MessageError::ClusterTooLong { .. }));
}

#[test]
fn a_udp_handle_keeps_its_family() {
    let Packet::Handle { kind, .. } = understand(PRIMARY[10]) else { panic!("handle") };
    assert_eq!(kind, HandleKind::DgramSocket { dgram_type: DgramType::Udp6 });
}
