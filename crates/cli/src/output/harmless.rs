//! What others wrote, as it may stand on an operator's terminal: a path, a message, a reason of a worker could hold the
//! sequences by which a terminal is told to do something.
//!
//! The lines that workers print are not meant: they are passed on as they are, as if the program had been started
//! there.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::table::SEQUENCES;

/// A text of our own with its control characters written out; its lines and tabs stay.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    without(text, &[])
}

/// The same for an answer, where our own colours stay, if it has some.
pub(super) fn harmless_page(text: &str, coloured: bool) -> Cow<'_, str> {
    without(text, if coloured { &SEQUENCES } else { &[] })
}

/// What others wrote, as a part of one line: it neither begins another, nor goes to another column.
pub(crate) fn unbroken(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\t']) {
        Cow::Owned(text.replace('\n', "\\n").replace('\t', "\\t"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The same as [`harmless`] for JSON: the serialiser writes out all that JSON forbids, and the rest of them can only be
/// in strings.
pub(super) fn harmless_json(json: Vec<u8>) -> Vec<u8> {
    // The serialiser has left no other of them below 0x80.
    if json.is_ascii() && !json.contains(&0x7f) {
        return json;
    }
    match String::from_utf8(json) {
        Ok(text) => {
            let mut out = String::with_capacity(text.len() + 16);
            for it in text.chars() {
                if is_harmful(it) {
                    let _ = write!(out, "\\u{:04x}", u32::from(it));
                } else {
                    out.push(it);
                }
            }
            out.into_bytes()
        }
        // No JSON.
        Err(error) => error.into_bytes(),
    }
}

fn without<'a>(text: &'a str, kept: &[&str]) -> Cow<'a, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len() + 16), text);
    while let Some(next) = rest.chars().next() {
        let whole = kept.iter().find(|sequence| rest.starts_with(**sequence));
        let length = whole.map_or(next.len_utf8(), |sequence| sequence.len());
        if whole.is_none() && is_harmful(next) {
            out.extend(next.escape_default());
        } else {
            out.push_str(&rest[..length]);
        }
        rest = &rest[length..];
    }
    Cow::Owned(out)
}

/// Also the characters that turn the direction of what follows: a name that is read backwards is another name.
fn is_harmful(it: char) -> bool {
    let turns = matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (it.is_control() && it != '\n' && it != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_a_terminal_something_is_written_out() {
        for (text, expected) in [
            ("/run/a.sock\n\tb \u{e9}\u{1f600}", "/run/a.sock\n\tb \u{e9}\u{1f600}"),
            ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            ("a\rportcrew: stopped", "a\\rportcrew: stopped"),
            ("\u{9b}2J\x7f", "\\u{9b}2J\\u{7f}"),
            ("a\u{202e}kcos", "a\\u{202e}kcos"),
        ] {
            assert_eq!(harmless(text), expected);
            assert_eq!(harmless_page(text, true), expected);
        }
    }

    #[test]
    fn our_own_colours_stay_and_no_other_sequence() {
        let text = "\x1b[32mgood\x1b[0m \x1b[8mhidden \x1b[2J";
        assert_eq!(harmless_page(text, true), "\x1b[32mgood\x1b[0m \\u{1b}[8mhidden \\u{1b}[2J");
        for plain in [harmless(text), harmless_page(text, false)] {
            assert_eq!(plain.matches("\\u{1b}").count(), 4);
        }
    }

    #[test]
    fn what_others_wrote_begins_no_line_and_no_column() {
        assert_eq!(unbroken("/x\nreload: done\t!"), "/x\\nreload: done\\t!");
        assert_eq!(unbroken("/run/a.sock \u{e9}"), "/run/a.sock \u{e9}");
    }

    #[test]
    fn json_means_the_same_and_holds_no_control_character() {
        let turned = "a\u{202a}b\u{202e}c\u{2066}d\u{2069}\u{2029}";
        let all = format!("\u{1b}[1m\u{9b}2J\u{7f}\u{e9}\u{a0}\n\t{turned}");
        let value = serde_json::json!({ "a": all, "b": "\u{7f}" });
        let json = harmless_json(serde_json::to_vec(&value).unwrap());
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&json).unwrap(), value);
        assert!(!String::from_utf8(json).unwrap().chars().any(is_harmful));
        assert_eq!(harmless_json(b"\"\x7f".to_vec()), b"\"\\u007f");
    }
}
