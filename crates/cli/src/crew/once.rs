//! What was said and is not said again.

use std::collections::BTreeSet;

/// Texts that are remembered. A program that listens on ever new addresses, or only says so, is told of for so long:
/// all of it is in `--events`.
const MOST_TEXTS: usize = 256;

/// Characters of a text that are remembered: those that differ only beyond are the same. No address is as long.
const MOST_CHARS: usize = 512;

/// Remembers what was said.
#[derive(Debug, Default)]
pub(super) struct Once {
    said: BTreeSet<String>,
    /// Another one was new beyond the bound.
    is_over: bool,
}

/// What is to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    New,
    /// That there are more, which are not said: once.
    TooMany,
    Nothing,
}

impl Once {
    /// Whether it is new and worth saying. Beyond the bound nothing is.
    pub(super) fn is_new(&mut self, text: &str) -> bool {
        self.look(text) == News::New
    }

    /// The same, where the reader is to be told that something is left out.
    pub(super) fn look(&mut self, text: &str) -> News {
        let end = text.char_indices().nth(MOST_CHARS).map_or(text.len(), |(end, _)| end);
        if self.said.contains(&text[..end]) {
            News::Nothing
        } else if self.said.len() < MOST_TEXTS {
            self.said.insert(text[..end].to_owned());
            News::New
        } else if std::mem::replace(&mut self.is_over, true) {
            News::Nothing
        } else {
            News::TooMany
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once_and_beyond_the_bound_none_is() {
        let mut once = Once::default();
        for text in (0..MOST_TEXTS).map(|it| it.to_string()) {
            assert!(once.is_new(&text));
            assert!(!once.is_new(&text));
        }
        assert_eq!(once.look("one more"), News::TooMany);
        assert_eq!(once.look("and one more"), News::Nothing);
        assert_eq!(once.said.len(), MOST_TEXTS);
    }

    #[test]
    fn of_a_text_so_much_is_remembered() {
        let mut once = Once::default();
        let long = "\u{e9}".repeat(MOST_CHARS);
        assert!(once.is_new(&long));
        assert!(!once.is_new(&format!("{long} and more")));
        assert!(once.said.iter().all(|it| it.chars().count() <= MOST_CHARS));
    }
}
