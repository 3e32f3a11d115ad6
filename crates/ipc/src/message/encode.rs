//! From a packet to one line, with the fields in Node's order.
//!
//! The extension fields between our own ends (`lane`, `listener`, `crew`) stand before `seq`, where Node's
//! reader passes over them.

use super::dialect::{BUN_INTERNAL, Dialect};
use super::{ClusterBody, ClusterMessage, Inner, Packet, Query, Reply, ReplyErrno};
use crate::handle::HandleKind;

impl Packet {
    /// As [`encode`](Self::encode), so that a peer of that dialect understands it.
    pub(crate) fn encode_for(&self, dialect: Dialect, out: &mut Vec<u8>) {
        match (dialect, self) {
            (Dialect::Bun, Self::Cluster(message)) => encode_for_bun(message, false, out),
            // It knows no `net.Native`, and dies of it.
            (
                Dialect::Bun,
                Self::Handle { kind: HandleKind::NetNative, inner: Inner::Cluster(message) },
            ) => encode_for_bun(message, true, out),
            // All other handle messages are as Node's, and are lost if they are marked.
            (Dialect::Bun | Dialect::Node, _) => self.encode(out),
        }
    }

    /// Appends the line, with its newline, to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::User(message) => out.extend_from_slice(message.as_str().as_bytes()),
            Self::Cluster(message) => encode_cluster(message, out),
            Self::Handle { kind, inner } => encode_handle(kind, inner, out),
            Self::HandleAck => Object::open(out, "NODE_HANDLE_ACK").close(),
            Self::HandleNack => Object::open(out, "NODE_HANDLE_NACK").close(),
            Self::SocketGetCount { key } => encode_key(out, "NODE_SOCKET_GET_COUNT", key),
            Self::SocketNotifyClose { key } => encode_key(out, "NODE_SOCKET_NOTIFY_CLOSE", key),
            Self::SocketAllClosed { key } => encode_key(out, "NODE_SOCKET_ALL_CLOSED", key),
            Self::SocketCount { key, count } => {
                let mut object = Object::open(out, "NODE_SOCKET_COUNT");
                object.text("key", key);
                object.number("count", *count);
                object.close();
            }
            Self::Unknown { cmd } => Object::open(out, cmd).close(),
        }
        out.push(b'\n');
    }
}

fn encode_key(out: &mut Vec<u8>, cmd: &str, key: &str) {
    let mut object = Object::open(out, cmd);
    object.text("key", key);
    object.close();
}

fn encode_handle(kind: &HandleKind, inner: &Inner, out: &mut Vec<u8>) {
    let mut object = Object::open(out, "NODE_HANDLE");
    object.text("type", kind.name());
    object.name("msg");
    match inner {
        Inner::User(message) => object.out.extend_from_slice(message.as_str().as_bytes()),
        Inner::Cluster(message) => encode_cluster(message, object.out),
        Inner::Unknown { cmd } => Object::open(object.out, cmd).close(),
    }
    match kind {
        HandleKind::NetSocket { key: Some(key) } => object.text("key", key),
        HandleKind::DgramSocket { dgram_type } => object.text("dgramType", dgram_type.as_str()),
        HandleKind::NetSocket { key: None }
        | HandleKind::NetNative
        | HandleKind::NetServer
        | HandleKind::DgramNative
        | HandleKind::Unknown { .. } => {}
    }
    object.close();
}

/// Marked, and with a descriptor of its own where it has one: not inside a handle message.
fn encode_for_bun(message: &ClusterMessage, has_handle: bool, out: &mut Vec<u8>) {
    out.push(BUN_INTERNAL);
    let mut object = cluster_fields(message, out);
    if has_handle {
        object.raw("$hasHandle", "true");
    }
    object.close();
    out.push(b'\n');
}

fn encode_cluster(message: &ClusterMessage, out: &mut Vec<u8>) {
    cluster_fields(message, out).close();
}

fn cluster_fields<'a>(message: &ClusterMessage, out: &'a mut Vec<u8>) -> Object<'a> {
    let mut object = Object::open(out, "NODE_CLUSTER");
    if let ClusterBody::Reply(reply) = &message.body {
        object.reply(reply, message.ack);
    } else {
        object.maybe_number("ack", message.ack);
        object.act(&message.body);
    }
    object.maybe_number("seq", message.seq);
    object
}

/// An object being written: a brace and the `cmd` stand, more fields may follow.
struct Object<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Object<'a> {
    fn open(out: &'a mut Vec<u8>, cmd: &str) -> Self {
        out.extend_from_slice(b"{\"cmd\":");
        push_text(out, cmd);
        Self { out }
    }

    fn close(self) {
        self.out.push(b'}');
    }

    fn act(&mut self, body: &ClusterBody) {
        match body {
            ClusterBody::Online { lane, beat } => {
                self.text("act", "online");
                self.maybe_number("lane", *lane);
                self.maybe_number("beat", *beat);
            }
            ClusterBody::QueryServer(query) => {
                self.text("act", "queryServer");
                self.query(query);
            }
            ClusterBody::Listening(query) => {
                self.text("act", "listening");
                self.query(query);
            }
            ClusterBody::Close { key } => {
                self.text("act", "close");
                self.text("key", key.as_str());
            }
            ClusterBody::NewConn { key } => {
                self.text("act", "newconn");
                self.text("key", key.as_str());
            }
            ClusterBody::ExitedAfterDisconnect => self.text("act", "exitedAfterDisconnect"),
            ClusterBody::Disconnect => self.text("act", "disconnect"),
            ClusterBody::Other { act } if !act.is_empty() => self.text("act", act),
            // A message without `act` says nothing; a reply has no `act` and is written elsewhere.
            ClusterBody::Other { .. } | ClusterBody::Reply(_) => {}
        }
    }

    fn query(&mut self, query: &Query) {
        self.number("index", u64::from(query.index));
        self.raw("data", query.data.as_ref().map_or("null", |data| data.as_str()));
        match &query.address {
            Some(address) => self.text("address", address),
            None => self.raw("address", "null"),
        }
        match query.port {
            Some(port) => self.signed("port", port),
            None => self.raw("port", "null"),
        }
        self.raw("addressType", query.address_type.as_json());
        if let Some(fd) = query.fd {
            self.signed("fd", fd);
        }
        match query.flags {
            Some(flags) => self.number("flags", u64::from(flags)),
            // What Node sends for a UDP socket made from a descriptor.
            None if query.address_type.is_udp() => self.raw("flags", "null"),
            None => {}
        }
        if let Some(backlog) = query.backlog {
            self.signed("backlog", backlog);
        }
        self.maybe_bool("readableAll", query.readable_all);
        self.maybe_bool("writableAll", query.writable_all);
    }

    /// The answer to a query has `errno` and `key` before `ack`, and `data` in any case: a worker reads it
    /// even from an error.
    fn reply(&mut self, reply: &Reply, ack: Option<u64>) {
        match reply.errno {
            ReplyErrno::Absent => {}
            ReplyErrno::Null => self.raw("errno", "null"),
            ReplyErrno::Code(code) => self.signed("errno", code),
        }
        if let Some(key) = &reply.key {
            self.text("key", key.as_str());
        }
        self.maybe_number("ack", ack);
        match &reply.data {
            Some(data) => self.raw("data", data.as_str()),
            None if reply.key.is_some() => self.raw("data", "null"),
            None => {}
        }
        if let Some(sockname) = &reply.sockname {
            self.name("sockname");
            self.out.extend_from_slice(b"{\"address\":");
            push_text(self.out, &sockname.address);
            self.text("family", sockname.family());
            self.number("port", u64::from(sockname.port));
            self.out.push(b'}');
        }
        self.maybe_bool("accepted", reply.accepted);
        self.maybe_number("listener", reply.listener);
        self.maybe_number("crew", reply.crew);
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.out.extend_from_slice(json.as_bytes());
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        push_text(self.out, text);
    }

    fn number(&mut self, name: &str, number: u64) {
        self.name(name);
        push_number(self.out, number);
    }

    fn signed(&mut self, name: &str, number: i32) {
        self.name(name);
        if number < 0 {
            self.out.push(b'-');
        }
        push_number(self.out, u64::from(number.unsigned_abs()));
    }

    fn maybe_number(&mut self, name: &str, number: Option<impl Into<u64>>) {
        if let Some(number) = number {
            self.number(name, number.into());
        }
    }

    fn maybe_bool(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.raw(name, if value { "true" } else { "false" });
        }
    }
}

/// Quotes and escapes. JSON.stringify escapes the same characters in the same way.
fn push_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string always serialises, and memory takes it");
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    serde_json::to_writer(out, &number).expect("a number always serialises, and memory takes it");
}
