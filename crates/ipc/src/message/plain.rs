//! Sees at a glance that a text is a plain user message, as nearly all are.
//!
//! A yes is certain: it is JSON on one line, and not internal. A no means nothing: what has escapes, is deeply nested,
//! names something as internal commands are named, or is no JSON, is left to a walk that knows all of it.

/// Levels of nesting that are followed: one bit each.
const LEVELS: u32 = u64::BITS;

/// Whether this text is certainly a user message, and on one line.
pub(super) fn is_plain(text: &str) -> bool {
    Scan { bytes: text.as_bytes(), at: 0, levels: 0, objects: 0 }.is_value().is_some()
}

/// `None` of its functions is a no.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// How many objects and arrays are open.
    levels: u32,
    /// Which of them are objects; the innermost is the last bit.
    objects: u64,
}

impl Scan<'_> {
    fn is_value(&mut self) -> Option<()> {
        loop {
            self.skip_space();
            let has_inside = match self.next()? {
                b'"' => self.string().map(|()| false)?,
                b'{' => self.open(true)?,
                b'[' => self.open(false)?,
                b't' => self.word(b"rue").map(|()| false)?,
                b'f' => self.word(b"alse").map(|()| false)?,
                b'n' => self.word(b"ull").map(|()| false)?,
                first => self.number(first).map(|()| false)?,
            };
            if !has_inside && self.is_over()? {
                return Some(());
            }
        }
    }

    /// Behind a value: whether it was the whole. Else the next one can be read.
    fn is_over(&mut self) -> Option<bool> {
        loop {
            self.skip_space();
            if self.levels == 0 {
                return (self.at == self.bytes.len()).then_some(true);
            }
            let in_object = self.objects & 1 == 1;
            match self.next()? {
                b',' if in_object => return self.key().map(|()| false),
                b',' => return Some(false),
                b'}' if in_object => self.close(),
                b']' if !in_object => self.close(),
                _ => return None,
            }
        }
    }

    /// Behind an opening bracket: whether there is anything inside. Then the first value can be read.
    fn open(&mut self, object: bool) -> Option<bool> {
        if self.levels == LEVELS {
            return None;
        }
        self.levels += 1;
        self.objects = self.objects << 1 | u64::from(object);
        self.skip_space();
        let end = if object { b'}' } else { b']' };
        if self.bytes.get(self.at) == Some(&end) {
            self.at += 1;
            self.close();
            return Some(false);
        }
        if object { self.key().map(|()| true) } else { Some(true) }
    }

    const fn close(&mut self) {
        self.levels -= 1;
        self.objects >>= 1;
    }

    fn key(&mut self) -> Option<()> {
        self.skip_space();
        self.word(b"\"")?;
        self.string()?;
        self.skip_space();
        self.word(b":")
    }

    /// Behind the opening quote.
    fn string(&mut self) -> Option<()> {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"NODE_") {
            return None;
        }
        let length = length_of_text(rest)?;
        self.at += length + 1;
        (rest[length] == b'"').then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let is_there = self.bytes[self.at..].starts_with(word);
        self.at += word.len();
        is_there.then_some(())
    }

    /// Behind its first byte.
    fn number(&mut self, mut first: u8) -> Option<()> {
        if first == b'-' {
            first = self.next()?;
        }
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let begin = self.at;
        self.skip_digits();
        (self.at > begin).then_some(())
    }

    fn skip_digits(&mut self) {
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }
}

/// How many bytes stand before the first that ends a string or has no place in one, sought eight at a time.
fn length_of_text(bytes: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::MAX / 0xff;
    let mut length = 0;
    while let Some(eight) = bytes[length..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let (quote, backslash) = (word ^ (EACH * 0x22), word ^ (EACH * 0x5c));
        // The highest bit of each byte that is small enough to borrow. Behind the first of them it can be wrong.
        let found = quote.wrapping_sub(EACH) & !quote
            | backslash.wrapping_sub(EACH) & !backslash
            | word.wrapping_sub(EACH * 0x20) & !word;
        let found = found & (EACH * 0x80);
        if found != 0 {
            return Some(length + found.trailing_zeros() as usize / 8);
        }
        length += 8;
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes[length..].iter().position(ends).map(|more| length + more)
}

#[cfg(test)]
mod tests {
    use super::super::parse::walk;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_messages_are_plain() {
        let deep = format!("{}1{}", "[".repeat(64), "]".repeat(64));
        for text in [
            r#"{"cmd":"notifyRequest"}"#,
            " {\"a\" : [ ] , \"b\":{} , \"ü\":[1,-2.5e+3,0.1E-9,true , false,null]}\r",
            r#""text""#,
            "-0",
            "1e999",
            "{\"a\":{\"b\":[{\"c\":[[],{}]}]}}",
            deep.as_str(),
        ] {
            assert!(is_plain(text), "{text}");
            assert!(is_rightly_plain(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_or_may_be_internal_is_not_plain() {
        let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
        for text in [
            "",
            " ",
            "{",
            "}",
            "[",
            "[1",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{1:1}",
            "{\"a\":1]",
            "[1}",
            "\"a",
            "\"a\nb\"",
            "tru",
            "nul",
            "nulll",
            "01",
            "-",
            "1.",
            "1e",
            ".5",
            "+1",
            "1 2",
            "NaN",
            "{\"a\":1}}",
            r#"{"cmd":"NODE_CLUSTER"}"#,
            r#"{"cmd":"\u004eODE_CLUSTER"}"#,
            "\"\\n\"",
            "[1,\n2]",
            deep.as_str(),
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    /// A yes is what the walk says that knows all.
    fn is_rightly_plain(text: &str) -> bool {
        !is_plain(text) || (matches!(walk(text), Ok(None)) && !text.contains('\n'))
    }

    proptest! {
        #[test]
        fn a_yes_is_certain(text in r#"[\[\]{}",:\\ \t\ntruefalsn0-9eE.+-]{0,12}"#) {
            prop_assert!(is_rightly_plain(&text), "{}", text);
        }

        #[test]
        fn a_text_ends_at_the_first_byte_that_ends_it(
            text in "[a-zü~\u{0}-\u{7f}]{0,24}",
        ) {
            let first = text.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
            prop_assert_eq!(length_of_text(text.as_bytes()), first);
        }

        #[test]
        fn so_it_is_of_what_is_nearly_json(
            value in value(), at in any::<prop::sample::Index>(), change in "[\\[\\]{}\",:0e.N\n-]?",
        ) {
            let text = value.to_string();
            prop_assert!(is_rightly_plain(&text), "{}", text);
            // Values that have no escapes and no such names are plain.
            prop_assert!(is_plain(&text) || text.contains('\\') || text.contains("\"NODE_"), "{}", text);
            let at = at.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                let changed = format!("{}{change}{}", &text[..at], &text[at + 1..]);
                prop_assert!(is_rightly_plain(&changed), "{}", changed);
            }
        }
    }

    fn value() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (0..100).prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~ü]{0,6}".prop_map(Value::from),
            "NODE_A?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("cmd|[a-z\"]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }
}
