//! What was said and is not said again.

use std::collections::BTreeSet;

/// Texts that are remembered. A program that listens on ever new addresses, or only says so, is told of for so long:
/// all of it is in `--events`.
const MOST_TEXTS: usize = 256;

/// Remembers what was said.
#[derive(Debug, Default)]
pub(super) struct Once {
    said: BTreeSet<String>,
}

impl Once {
    /// Whether it is new and worth saying. Beyond the bound nothing is.
    pub(super) fn is_new(&mut self, text: &str) -> bool {
        let is_new = self.said.len() < MOST_TEXTS && !self.said.contains(text);
        if is_new {
            self.said.insert(text.to_owned());
        }
        is_new
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
        assert!(!once.is_new("one more"));
        assert_eq!(once.said.len(), MOST_TEXTS);
    }
}
