//! The fields of internal messages as they stand in JSON, for serde.
//!
//! Texts are borrowed from the line where they hold no escapes. Types here are lenient about what is missing
//! and strict about what is there. Lenient about both are `seq` and `ack`, since user code may inject an `ack`
//! of -1, which must do nothing, and what Node passes on as its user wrote it, such as `"backlog":"511"`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::cluster::{ClusterBody, ClusterMessage, Key, Reply, ReplyErrno, SockName};
use super::json::RawJson;
use super::parse::{CLUSTER_BYTES, cut};
use super::query::{AddressType, Query};
use crate::error::MessageError;
use crate::handle::{DgramType, HandleKind};

/// Reads a cluster message from a text that is known to be one.
pub(super) fn cluster_message(text: &str) -> Result<ClusterMessage, MessageError> {
    if text.len() > CLUSTER_BYTES {
        return Err(MessageError::ClusterTooLong { length: text.len() });
    }
    let wire: ClusterWire<'_> = serde_json::from_str(text).map_err(MessageError::Fields)?;
    wire.into_message().map_err(MessageError::Fields)
}

/// All fields of all cluster messages.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterWire<'a> {
    #[serde(default)]
    seq: Lenient,
    #[serde(default)]
    ack: Lenient,
    #[serde(borrow)]
    act: Option<Text<'a>>,
    lane: Option<u32>,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    index: Option<u32>,
    #[serde(borrow)]
    address: Option<Text<'a>>,
    port: Option<i32>,
    #[serde(default)]
    address_type: AddressType,
    fd: Option<i32>,
    flags: Option<u32>,
    #[serde(default)]
    backlog: AsWritten,
    #[serde(default)]
    readable_all: AsWritten,
    #[serde(default)]
    writable_all: AsWritten,
    #[serde(default)]
    errno: ReplyErrno,
    #[serde(borrow)]
    sockname: Option<SockNameWire<'a>>,
    accepted: Option<bool>,
    listener: Option<u32>,
    crew: Option<u32>,
    beat: Option<u32>,
}

impl ClusterWire<'_> {
    fn into_message(self) -> Result<ClusterMessage, serde_json::Error> {
        let (seq, ack) = (self.seq.0, self.ack.0);
        let body = match self.act.as_ref().map(|act| &*act.0) {
            None if ack.is_some() => ClusterBody::Reply(self.into_reply()),
            None => ClusterBody::Other { act: String::new() },
            Some("online") => ClusterBody::Online { lane: self.lane, beat: self.beat },
            Some("queryServer") => ClusterBody::QueryServer(self.into_query()),
            Some("listening") => ClusterBody::Listening(self.into_query()),
            Some("close") => ClusterBody::Close { key: self.required_key()? },
            Some("exitedAfterDisconnect" | "suicide") => ClusterBody::ExitedAfterDisconnect,
            Some("newconn") => ClusterBody::NewConn { key: self.required_key()? },
            Some("disconnect") => ClusterBody::Disconnect,
            Some(other) => ClusterBody::Other { act: cut(other) },
        };
        Ok(ClusterMessage { seq, ack, body })
    }

    fn into_query(self) -> Query {
        Query {
            index: self.index.unwrap_or(0),
            data: self.data.map(|raw| RawJson::validated(raw.get())),
            address: self.address.map(|text| text.0.into_owned()),
            port: self.port,
            address_type: self.address_type,
            fd: self.fd,
            flags: self.flags,
            backlog: self.backlog.number(),
            readable_all: self.readable_all.truth(),
            writable_all: self.writable_all.truth(),
        }
    }

    fn into_reply(self) -> Reply {
        Reply {
            errno: self.errno,
            key: self.key.map(|text| Key::from(&*text.0)),
            data: self.data.map(|raw| RawJson::validated(raw.get())),
            sockname: self.sockname.map(SockNameWire::into_sockname),
            accepted: self.accepted,
            listener: self.listener,
            crew: self.crew,
        }
    }

    fn required_key(&self) -> Result<Key, serde_json::Error> {
        self.key.as_ref().map(|text| Key::from(&*text.0)).ok_or_else(|| Error::missing_field("key"))
    }
}

/// A handle message without its inner message's fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandleWire<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) msg: &'a RawValue,
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    dgram_type: Option<Text<'a>>,
}

impl HandleWire<'_> {
    pub(super) fn kind(&self) -> HandleKind {
        let dgram_type = self.dgram_type.as_ref().map(|text| &*text.0);
        match self.kind.as_ref().map_or("", |text| &*text.0) {
            "net.Native" => HandleKind::NetNative,
            "net.Server" => HandleKind::NetServer,
            "net.Socket" => {
                HandleKind::NetSocket { key: self.key.as_ref().map(|text| text.0.to_string()) }
            }
            "dgram.Native" => HandleKind::DgramNative,
            "dgram.Socket" if dgram_type == Some("udp6") => {
                HandleKind::DgramSocket { dgram_type: DgramType::Udp6 }
            }
            "dgram.Socket" => HandleKind::DgramSocket { dgram_type: DgramType::Udp4 },
            unknown => HandleKind::Unknown { name: cut(unknown) },
        }
    }
}

/// The messages that count sockets.
#[derive(Deserialize)]
pub(super) struct CountWire {
    pub(super) key: String,
    #[serde(default)]
    pub(super) count: u64,
}

/// The family is not read: Node wrote it as a number for a while, and it follows from the address.
#[derive(Deserialize)]
struct SockNameWire<'a> {
    #[serde(borrow)]
    address: Option<Text<'a>>,
    port: Option<u16>,
}

impl SockNameWire<'_> {
    fn into_sockname(self) -> SockName {
        SockName {
            address: self.address.map_or_else(String::new, |text| text.0.into_owned()),
            port: self.port.unwrap_or(0),
        }
    }
}

/// A string, borrowed where possible. (A bare `Option<Cow<str>>` would always be copied.)
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Borrowing<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowing::deserialize(deserializer).map(|text| Self(text.0))
    }
}

/// A number that matches something, or nothing at all.
#[derive(Default)]
struct Lenient(Option<u64>);

impl<'de> Deserialize<'de> for Lenient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(raw.get().parse().ok()))
    }
}

/// An option of `listen` that Node sends as the user's code gave it: a number, a truth, a text, anything.
#[derive(Default)]
struct AsWritten(Option<serde_json::Value>);

impl AsWritten {
    /// The number that JavaScript would read. `None` where the user gave none, which Node sends as `false`.
    fn number(&self) -> Option<i32> {
        use serde_json::Value;
        let number = match self.0.as_ref()? {
            Value::Null | Value::Bool(false) => return None,
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Bool(true) | Value::Array(_) | Value::Object(_) => None,
        };
        // A cast saturates, and what is no number is 0: the default, as in Node.
        Some(number.unwrap_or(0.0) as i32)
    }

    fn truth(&self) -> Option<bool> {
        use serde_json::Value;
        Some(match self.0.as_ref()? {
            Value::Null => false,
            Value::Bool(is) => *is,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(_) | Value::Object(_) => true,
        })
    }
}

impl<'de> Deserialize<'de> for AsWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for ReplyErrno {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Code))
    }
}

impl<'de> Deserialize<'de> for AddressType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        [Self::Tcp4, Self::Tcp6, Self::Pipe, Self::Udp4, Self::Udp6, Self::None]
            .into_iter()
            .find(|kind| kind.as_json() == raw)
            .ok_or_else(|| Error::custom("unknown addressType"))
    }
}

/// Finds the value of the top-level `cmd`, the last one if there are several, as JavaScript does.
pub(super) struct CmdVisitor;

impl<'de> Visitor<'de> for CmdVisitor {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cmd = None;
        while let Some(IsCmd(is_cmd)) = map.next_key()? {
            if is_cmd {
                cmd = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(cmd)
    }
}

/// Whether a key is `cmd`. Read as bytes, since a key may be half of a surrogate pair.
struct IsCmd(bool);

impl<'de> Deserialize<'de> for IsCmd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor(|bytes: &[u8]| Self(bytes == b"cmd")))
    }
}

/// The content of a JSON string whose escapes need not make valid UTF-8.
pub(super) struct StringBytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for StringBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor(|bytes: &[u8]| Self(bytes.to_vec())))
    }
}

struct BytesVisitor<F>(F);

impl<'de, T, F: FnOnce(&[u8]) -> T> Visitor<'de> for BytesVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
        Ok((self.0)(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text.as_bytes()))
    }
}
