//! From one line to a packet.
//!
//! [`plain`] knows most lines that are not internal at a glance. Any other is walked once, without allocation, to see
//! that it is JSON and whether it is internal; only an internal one is then read into fields. The walk keeps no stack of
//! its own calls, so nesting without limit does no harm; user code that reads a message meets serde_json's limit of 128
//! levels.
//!
//! [`plain`]: super::plain

use std::borrow::Cow;

use serde::de::{Deserializer as _, IgnoredAny};

use super::dialect::BUN_INTERNAL;
use super::plain::is_plain;
use super::wire::{CmdVisitor, CountWire, HandleWire, StringBytes, cluster_message};
use super::{Inner, Packet, UserMessage};
use crate::error::MessageError;

/// Longest cluster message in bytes. Real ones stay below 1 KiB, or 5 KiB with a Unix path full of escapes.
pub const CLUSTER_BYTES: usize = 64 * 1024;

/// How often a handle message may be wrapped into another. Node wraps once more for each retransmission, and
/// retransmits three times.
pub const NESTED_HANDLES: usize = 8;

/// Longest piece of a name chosen by the peer that is kept for a log, in characters.
const NAME_CHARS: usize = 64;

/// Reads one line, without its newline.
///
/// # Errors
/// The line is not UTF-8 or not JSON, or it is an internal message with wrong fields. One bad line says
/// nothing about the next one.
pub fn parse(line: &[u8]) -> Result<Packet, MessageError> {
    let line = line.strip_prefix(&[BUN_INTERNAL]).unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(MessageError::NotUtf8)?;
    let Some(cmd) = internal_command(text).map_err(MessageError::NotJson)? else {
        return Ok(Packet::User(UserMessage::validated(text)));
    };
    Ok(match &*cmd {
        "NODE_CLUSTER" => Packet::Cluster(cluster_message(text)?),
        "NODE_HANDLE" => parse_handle(text)?,
        "NODE_HANDLE_ACK" => Packet::HandleAck,
        "NODE_HANDLE_NACK" => Packet::HandleNack,
        "NODE_SOCKET_GET_COUNT" => Packet::SocketGetCount { key: count_wire(text)?.key },
        "NODE_SOCKET_NOTIFY_CLOSE" => Packet::SocketNotifyClose { key: count_wire(text)?.key },
        "NODE_SOCKET_ALL_CLOSED" => Packet::SocketAllClosed { key: count_wire(text)?.key },
        "NODE_SOCKET_COUNT" => {
            let CountWire { key, count } = count_wire(text)?;
            Packet::SocketCount { key, count }
        }
        unknown => Packet::Unknown { cmd: cut(unknown) },
    })
}

/// The message of a line that is seen at a glance to be one of user code. `None` says nothing.
pub(crate) fn plain_message(line: &[u8]) -> Option<UserMessage> {
    let text = std::str::from_utf8(line).ok()?;
    is_plain(text).then(|| UserMessage::validated_line(text))
}

/// Checks that `text` is one JSON value and returns its `cmd` if that makes it internal.
pub(super) fn internal_command(text: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    if is_plain(text) { Ok(None) } else { walk(text) }
}

/// The same of any text.
pub(super) fn walk(text: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let is_object = text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{');
    if !is_object {
        return serde_json::from_str::<IgnoredAny>(text).map(|_| None);
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let cmd = json.deserialize_map(CmdVisitor)?;
    json.end()?;
    Ok(cmd.map_or(Ok(None), |raw| unquote(raw.get()))?.filter(|cmd| is_internal(cmd)))
}

/// A handle message, and the ones inside it when it is a retransmission.
fn parse_handle(text: &str) -> Result<Packet, MessageError> {
    let mut text = text;
    for _ in 0..NESTED_HANDLES {
        let outer: HandleWire<'_> = serde_json::from_str(text).map_err(MessageError::Fields)?;
        let message = outer.msg.get();
        let inner = match internal_command(message).map_err(MessageError::NotJson)? {
            None => Inner::User(UserMessage::validated(message)),
            Some(cmd) => match &*cmd {
                "NODE_CLUSTER" => Inner::Cluster(cluster_message(message)?),
                "NODE_HANDLE" => {
                    text = message;
                    continue;
                }
                other => Inner::Unknown { cmd: cut(other) },
            },
        };
        return Ok(Packet::Handle { kind: outer.kind(), inner });
    }
    Err(MessageError::NestedTooDeep)
}

fn count_wire(text: &str) -> Result<CountWire, MessageError> {
    serde_json::from_str(text).map_err(MessageError::Fields)
}

const fn is_internal(cmd: &str) -> bool {
    matches!(cmd.as_bytes(), [b'N', b'O', b'D', b'E', b'_', _, ..])
}

/// The string that the JSON value `raw` stands for, if it is a string.
fn unquote(raw: &str) -> Result<Option<Cow<'_, str>>, serde_json::Error> {
    let Some(quoted) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Ok(None);
    };
    if !quoted.contains('\\') {
        return Ok(Some(Cow::Borrowed(quoted)));
    }
    // Half of a surrogate pair is legal in JSON and no `str`: read as bytes, which do not mind.
    let StringBytes(bytes) = serde_json::from_str(raw)?;
    Ok(Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
}

/// The beginning of a name that the peer chose.
pub(super) fn cut(name: &str) -> String {
    name.chars().take(NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_user(line: &str) -> bool {
        matches!(parse(line.as_bytes()), Ok(Packet::User(message)) if message.as_str() == line)
    }

    #[test]
    fn any_json_value_is_a_user_message() {
        for line in [
            "null",
            "true",
            "-0",
            "1e999",
            r#""NODE_CLUSTER""#,
            "[]",
            "{}",
            r#"["cmd","NODE_CLUSTER"]"#,
            r#""\ud800""#,
            r#"{"\ud800":"\udc00"}"#,
            r#"{"cmd":"\ud800"}"#,
            r#"{"cmd":{"cmd":"NODE_CLUSTER"}}"#,
            r#"{"cmd":"NODE_"}"#,
            r#"{"cmd":"fooNODE_bar"}"#,
            r#"{"cmd":5}"#,
            " {\"a\" : 1} ",
        ] {
            assert!(is_user(line), "{line}");
        }
    }

    #[test]
    fn an_unknown_internal_command_is_told_by_a_bounded_name() {
        let line = format!(r#"{{"cmd":"NODE_{}"}}"#, "ü".repeat(1000));
        let Packet::Unknown { cmd } = parse(line.as_bytes()).unwrap() else { panic!("internal") };
        assert_eq!(cmd.chars().count(), NAME_CHARS);
    }

    #[test]
    fn the_last_cmd_counts_as_in_javascript() {
        assert!(is_user(r#"{"cmd":"NODE_HANDLE_ACK","cmd":"x"}"#));
        let internal = parse(br#"{"cmd":"x","cmd":"NODE_HANDLE_ACK"}"#).unwrap();
        assert_eq!(internal, Packet::HandleAck);
    }

    #[test]
    fn an_escaped_cmd_is_the_same_cmd() {
        let line = br#"{"\u0063md":"NODE\u005fHANDLE_ACK"}"#;
        assert_eq!(parse(line).unwrap(), Packet::HandleAck);
    }

    #[test]
    fn deep_nesting_is_carried_and_does_no_harm() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(is_user(&deep));
        assert!(is_user(&format!(r#"{{"a":{deep}}}"#)));
        let Packet::User(message) = parse(deep.as_bytes()).unwrap() else { panic!("user") };
        assert!(message.json::<serde_json::Value>().is_err());
    }

    #[test]
    fn handle_messages_nest_so_far_and_no_further() {
        let wrap = |times: usize| {
            (0..times).fold("1".to_owned(), |inner, _| {
                format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Native","msg":{inner}}}"#)
            })
        };
        assert!(parse(wrap(NESTED_HANDLES).as_bytes()).is_ok());
        let too_deep = parse(wrap(NESTED_HANDLES + 1).as_bytes());
        assert!(matches!(too_deep, Err(MessageError::NestedTooDeep)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(line in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&line);
        }

        #[test]
        fn no_internal_looking_line_panics(
            tail in "[\"{}:,a-z0-9\\\\]{0,40}", cmd in "CLUSTER|HANDLE|HANDLE_ACK|SOCKET_COUNT|X"
        ) {
            let _ = parse(format!(r#"{{"cmd":"NODE_{cmd}",{tail}"#).as_bytes());
            let _ = parse(format!(r#"{{"cmd":"NODE_{cmd}","msg":{tail}}}"#).as_bytes());
        }
    }
}
