//! Which of some words a mistyped one was probably meant for.

/// The most like it: the one that begins as it does, else the one that differs in few letters; none when all differ in
/// more than a third.
pub(crate) fn nearest<'a>(
    text: &str,
    words: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    let begins =
        |word: &&str| text.len() >= 3 && (word.starts_with(text) || text.starts_with(word));
    words.clone().into_iter().find(|word| begins(word)).or_else(|| {
        let like = |word: &&str| distance(text, word) * 3 <= text.len().max(word.len());
        words.into_iter().filter(like).min_by_key(|word| distance(text, word))
    })
}

/// How many letters have to be put in, left out, replaced, or exchanged with the one behind them.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // Three rows of the table of the distances between all beginnings are enough.
    let (mut before, mut above): (Vec<usize>, Vec<usize>) =
        (Vec::new(), (0..=other.len()).collect());
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = above[j] + usize::from(a != b);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && one[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_slip_counts_once() {
        for (one, other, steps) in [
            ("shared", "shared", 0),
            ("shard", "shared", 1),
            ("shareed", "shared", 1),
            ("sharad", "shared", 1),
            ("shaerd", "shared", 1),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), steps, "{one} {other}");
        }
    }

    #[test]
    fn what_is_like_nothing_has_no_nearest() {
        let words = ["cookie", "header", "wait"];
        assert_eq!(nearest("cokie", words), Some("cookie"));
        assert_eq!(nearest("wait-for", words), Some("wait"));
        assert_eq!(nearest("xyz", words), None);
        assert_eq!(nearest("", words), None);
    }
}
