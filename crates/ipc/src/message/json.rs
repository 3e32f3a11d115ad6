//! JSON values that are carried, not looked at.

use std::fmt;

use serde::de::{Deserialize, IgnoredAny};
use serde::ser::Serialize;

use super::parse;
use super::text::Text;
use crate::error::MessageError;

/// A JSON value as text, on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson(Text);

/// A message between user programs: any JSON value that Node would not take for an internal message.
#[derive(Clone, PartialEq, Eq)]
pub struct UserMessage(RawJson);

impl RawJson {
    /// Serialises `value`.
    ///
    /// # Errors
    /// `value` cannot be JSON (a map whose keys are no strings, or its own `Serialize` failed). What a wrong `Serialize`
    /// makes of it is not checked here, but in a message ([`UserMessage::new`]).
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, MessageError> {
        let text = serde_json::to_string(value).map_err(MessageError::Unserialisable)?;
        Ok(Self::on_one_line(text))
    }

    /// Takes a text that is JSON already.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn from_text(text: impl Into<String>) -> Result<Self, MessageError> {
        let text = text.into();
        serde_json::from_str::<IgnoredAny>(&text).map_err(MessageError::Unserialisable)?;
        Ok(Self::on_one_line(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The text, as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Reads the value as a `T`, which may borrow from it.
    ///
    /// # Errors
    /// It is not a `T`, or is nested deeper than 128 levels.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, MessageError> {
        serde_json::from_str(self.as_str()).map_err(MessageError::OtherType)
    }

    /// For text that the parser has just validated.
    pub(super) fn validated(text: &str) -> Self {
        if text.contains('\n') { Self::on_one_line(text.to_owned()) } else { Self(text.into()) }
    }

    /// A newline ends a message, and in JSON it can only stand between tokens: a space means the same.
    fn on_one_line(mut text: String) -> Self {
        if text.contains('\n') {
            text = text.replace('\n', " ");
        }
        Self(text.into())
    }
}

impl UserMessage {
    /// Serialises `value`.
    ///
    /// # Errors
    /// `value` cannot be JSON, or is an object with a `cmd` that is reserved for internal messages: the peer
    /// would obey such a message instead of delivering it.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, MessageError> {
        Self::checked(RawJson::new(value)?)
    }

    /// Takes a text that is JSON already.
    ///
    /// # Errors
    /// It is not JSON, or reserved as in [`new`](Self::new).
    pub fn from_text(text: impl Into<String>) -> Result<Self, MessageError> {
        Self::checked(RawJson::from_text(text)?)
    }

    /// The text of the JSON value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The text, as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Reads the message as a `T`, which may borrow from it.
    ///
    /// # Errors
    /// It is not a `T`, or is nested deeper than 128 levels.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, MessageError> {
        self.0.json()
    }

    /// For text that the parser has just found to be a user message.
    pub(super) fn validated(text: &str) -> Self {
        Self(RawJson::validated(text))
    }

    /// The same of text that was found on one line.
    pub(super) fn validated_line(text: &str) -> Self {
        Self(RawJson(text.into()))
    }

    fn checked(json: RawJson) -> Result<Self, MessageError> {
        match parse::internal_command(json.as_str()).map_err(MessageError::Unserialisable)? {
            None => Ok(Self(json)),
            Some(_) => Err(MessageError::Reserved),
        }
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({})", self.as_str())
    }
}

impl fmt::Debug for UserMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserMessage({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_comes_back_as_the_type_that_went_in() {
        let message = UserMessage::new(&("a", 1)).unwrap();
        assert_eq!(message.as_str(), r#"["a",1]"#);
        assert_eq!(message.json::<(String, i32)>().unwrap(), ("a".to_owned(), 1));
        assert!(matches!(message.json::<String>(), Err(MessageError::OtherType(_))));
    }

    #[test]
    fn user_code_cannot_forge_an_internal_message() {
        let forged = json!({"act": "disconnect", "cmd": "NODE_CLUSTER"});
        assert!(matches!(UserMessage::new(&forged), Err(MessageError::Reserved)));
        let escaped = r#"{"cmd":"\u004eODE_CLUSTER"}"#;
        assert!(matches!(UserMessage::from_text(escaped), Err(MessageError::Reserved)));
        assert!(UserMessage::new(&json!({"cmd": "fooNODE_"})).is_ok());
        assert!(UserMessage::new(&json!({"cmd": "NODE_"})).is_ok());
    }

    #[test]
    fn a_newline_between_tokens_does_not_cut_the_message() {
        let message = UserMessage::from_text("{\"a\":\n\"b\\nc\"}").unwrap();
        assert_eq!(message.as_str(), r#"{"a": "b\nc"}"#);
    }

    #[test]
    fn a_message_out_of_a_line_with_newlines_is_on_one_line() {
        let inside = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":[1,\n2]}";
        for line in ["[1,\n2]", inside] {
            let mut out = Vec::new();
            parse(line.as_bytes()).unwrap().encode(&mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text.contains("[1, 2]") && text.lines().count() == 1, "{text:?}");
        }
    }

    #[test]
    fn text_that_is_not_json_is_the_callers_error() {
        assert!(matches!(RawJson::from_text("{"), Err(MessageError::Unserialisable(_))));
        assert!(matches!(RawJson::from_text("1 2"), Err(MessageError::Unserialisable(_))));
    }
}
