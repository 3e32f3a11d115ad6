//! What a parser says of a beginning: it is there, it may yet come, or it never will.

/// What was looked for, or why it is missing.
///
/// Of two beginnings of the same bytes the longer one gives the same answer as the shorter one, unless that
/// one was [`Missing::NeedMore`].
pub type Sight<T> = Result<T, Missing>;

/// Why there is nothing to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// Nothing that came so far excludes it.
    NeedMore,
    /// It will not come: another protocol, a mistake, a complete head without it, or the limit is reached.
    Absent,
}

/// Shows `parse` no more than the first `most` bytes. What it cannot tell from them is absent.
pub(super) fn within<'a, T>(
    bytes: &'a [u8],
    most: usize,
    parse: impl FnOnce(&'a [u8]) -> Sight<T>,
) -> Sight<T> {
    match bytes.get(..most) {
        Some(all) => parse(all).map_err(|_| Missing::Absent),
        None => parse(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_limit_nothing_more_is_awaited() {
        let third = |bytes: &[u8]| bytes.get(2).copied().ok_or(Missing::NeedMore);
        assert_eq!(within(b"ab", 3, third), Err(Missing::NeedMore));
        assert_eq!(within(b"abc", 3, third), Ok(b'c'));
        assert_eq!(within(b"ab", 2, third), Err(Missing::Absent));
        assert_eq!(within(b"abc", 2, third), Err(Missing::Absent));
    }
}
