//! Text that needs no memory of its own where it is short, as most messages are.

use std::str;

/// Longest text that is short, in bytes.
const SHORT_BYTES: usize = 46;

/// A text that does not change.
#[derive(Clone)]
pub(super) struct Text(Kept);

/// Seen by this file alone, which is what makes `Text::as_str` sound.
#[derive(Clone)]
enum Kept {
    /// `bytes[..length]`, which are UTF-8.
    Short {
        length: u8,
        bytes: [u8; SHORT_BYTES],
    },
    Long(Box<str>),
}

impl Text {
    pub(super) fn as_str(&self) -> &str {
        match &self.0 {
            // SAFETY: the bytes up to `length` are those of a `&str`, whole and unchanged: `Self::short` alone makes a
            // short text, and nothing writes to one. A check would be a twelfth of all that reading a short message
            // costs (`scripts/instructions`), each time that it is asked for.
            Kept::Short { .. } => unsafe { str::from_utf8_unchecked(self.as_bytes()) },
            Kept::Long(text) => text,
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Short { length, bytes } => &bytes[..usize::from(*length)],
            Kept::Long(text) => text.as_bytes(),
        }
    }

    fn short(text: &str) -> Option<Self> {
        let mut bytes = [0; SHORT_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Self(Kept::Short { length: u8::try_from(text.len()).ok()?, bytes }))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::short(text).unwrap_or_else(|| Self(Kept::Long(text.into())))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::short(&text).unwrap_or_else(|| Self(Kept::Long(text.into_boxed_str())))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_comes_back_and_equals_itself() {
        for length in [0, 1, SHORT_BYTES - 1, SHORT_BYTES, SHORT_BYTES + 1, 1000] {
            let text = "x".repeat(length);
            let (borrowed, owned) = (Text::from(text.as_str()), Text::from(text.clone()));
            assert_eq!((borrowed.as_str(), owned.as_str()), (text.as_str(), text.as_str()));
            assert!(borrowed == owned && borrowed != Text::from("other"));
            assert_eq!(matches!(borrowed.0, Kept::Short { .. }), length <= SHORT_BYTES);
        }
        assert_eq!(size_of::<Text>(), SHORT_BYTES + 2);
    }

    #[test]
    fn letters_of_several_bytes_are_not_cut() {
        for length in 0..SHORT_BYTES {
            let text = "ü".repeat(length);
            assert_eq!(Text::from(text.as_str()).as_str(), text);
        }
    }
}
