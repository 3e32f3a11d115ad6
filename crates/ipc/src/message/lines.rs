//! Messages of user code in the form in which they are written, so that many can be passed on as one.

use serde::Serialize;

use super::UserMessage;
use super::parse::walk;
use super::plain::is_plain;
use crate::error::MessageError;

/// Memory that is kept when the lines are cleared, in bytes. A long message does not hold its memory for ever.
const KEPT_BYTES: usize = 16 * 1024;

/// Messages of user code, each on a line of its own.
#[derive(Debug, Default)]
pub struct UserLines {
    bytes: Vec<u8>,
    count: usize,
    /// Bytes of the longest, with its newline.
    longest: usize,
}

impl UserLines {
    /// Appends a value, as [`UserMessage::new`] makes a message of it, without making one.
    ///
    /// # Errors
    /// As there; then nothing is appended.
    pub fn push_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), MessageError> {
        let begin = self.bytes.len();
        let written = serde_json::to_writer(&mut self.bytes, value);
        let checked = written
            .map_err(MessageError::Unserialisable)
            .and_then(|()| check(&mut self.bytes[begin..]));
        if let Err(error) = checked {
            self.bytes.truncate(begin);
            return Err(error);
        }
        self.end_line(begin);
        Ok(())
    }

    /// Appends a message.
    pub fn push(&mut self, message: &UserMessage) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(message.as_str().as_bytes());
        self.end_line(begin);
    }

    /// Appends others.
    pub fn append(&mut self, others: &Self) {
        self.bytes.extend_from_slice(&others.bytes);
        self.count += others.count;
        self.longest = self.longest.max(others.longest);
    }

    /// The lines, each with its newline.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Takes all out, and keeps memory for more.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        (self.count, self.longest) = (0, 0);
    }

    pub(crate) const fn longest(&self) -> usize {
        self.longest
    }

    fn end_line(&mut self, begin: usize) {
        self.bytes.push(b'\n');
        self.count += 1;
        self.longest = self.longest.max(self.bytes.len() - begin);
    }
}

/// That it is JSON, which a `Serialize` of the user's does not warrant, on one line and not reserved. A newline can only
/// stand between tokens: a space means the same.
fn check(json: &mut [u8]) -> Result<(), MessageError> {
    if is_plain(std::str::from_utf8(json).map_err(MessageError::NotUtf8)?) {
        return Ok(());
    }
    json.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    let text = std::str::from_utf8(json).map_err(MessageError::NotUtf8)?;
    match walk(text).map_err(MessageError::Unserialisable)? {
        None => Ok(()),
        Some(_) => Err(MessageError::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn lines_are_what_messages_would_be() {
        let mut lines = UserLines::default();
        let raw = serde_json::value::RawValue::from_string("[1,\n2]".to_owned()).unwrap();
        lines.push_value(&json!({ "cmd": "notifyRequest" })).unwrap();
        lines.push_value("two\nlines").unwrap();
        lines.push_value(&raw).unwrap();
        let mut others = UserLines::default();
        others.push(&UserMessage::new(&7).unwrap());
        lines.append(&others);
        let expected = "{\"cmd\":\"notifyRequest\"}\n\"two\\nlines\"\n[1, 2]\n7\n";
        assert_eq!((lines.as_bytes(), lines.count()), (expected.as_bytes(), 4));
        lines.clear();
        assert_eq!((lines.as_bytes(), lines.count()), (&b""[..], 0));
    }

    /// Says of itself what is not so.
    struct KeyAlone;

    impl Serialize for KeyAlone {
        fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeMap as _;
            let mut map = to.serialize_map(None)?;
            map.serialize_key("a")?;
            map.end()
        }
    }

    #[test]
    fn what_serialises_to_no_json_is_the_senders_error_and_never_sent() {
        let mut lines = UserLines::default();
        assert!(matches!(lines.push_value(&KeyAlone), Err(MessageError::Unserialisable(_))));
        assert!(matches!(UserMessage::new(&KeyAlone), Err(MessageError::Unserialisable(_))));
        assert_eq!((lines.as_bytes(), lines.count()), (&b""[..], 0));
    }

    #[test]
    fn what_cannot_be_sent_leaves_nothing_behind() {
        let mut lines = UserLines::default();
        lines.push_value(&1).unwrap();
        let no_text = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert!(matches!(lines.push_value(&no_text), Err(MessageError::Unserialisable(_))));
        let reserved = json!({ "cmd": "NODE_HANDLE_ACK" });
        assert!(matches!(lines.push_value(&reserved), Err(MessageError::Reserved)));
        let hidden = r#"{"cmd":"\u004eODE_HANDLE_ACK"}"#.to_owned();
        let hidden = serde_json::value::RawValue::from_string(hidden).unwrap();
        assert!(matches!(lines.push_value(&hidden), Err(MessageError::Reserved)));
        assert_eq!((lines.as_bytes(), lines.count()), (&b"1\n"[..], 1));
    }

    proptest! {
        #[test]
        fn a_value_becomes_the_same_line_or_the_same_error_as_a_message(
            cmd in "NODE_|NODE_[A-Z]{1,3}|[a-zN\\\\\n\"]{0,8}", key in "cmd|cm|c\\\\md", raw in "[1,\n]{1,3}",
        ) {
            let value = json!({ key: cmd });
            let mut lines = UserLines::default();
            let (line, message) = (lines.push_value(&value), UserMessage::new(&value));
            prop_assert_eq!(line.map_err(|it| it.to_string()), message.as_ref().map(|_| ()).map_err(ToString::to_string));
            let text = message.map_or_else(|_| String::new(), |it| format!("{}\n", it.as_str()));
            prop_assert_eq!(String::from_utf8_lossy(lines.as_bytes()), text);
            if let Ok(raw) = serde_json::value::RawValue::from_string(raw) {
                lines.clear();
                lines.push_value(&raw).unwrap();
                prop_assert_eq!(lines.as_bytes().iter().filter(|byte| **byte == b'\n').count(), 1);
            }
        }
    }
}
