//! A value that says itself to which place of the crew it belongs.

/// What stands before the number.
const MARK: &[u8] = b".w";

/// Most digits of a number.
const DIGITS: usize = 5;

/// The number behind `.w` at the end of a value: `abc.w3` belongs to place 3. So a server that makes up its sessions'
/// names can have them come back to where they were made.
#[must_use]
pub fn route(value: &[u8]) -> Option<u32> {
    let digits = value.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (name, number) = value.split_at_checked(value.len() - digits)?;
    if digits > DIGITS || !name.ends_with(MARK) {
        return None;
    }
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_at_the_very_end_behind_the_mark() {
        assert_eq!(route(b"Zm9v.w3"), Some(3));
        assert_eq!(route(b".w0"), Some(0));
        assert_eq!(route(b"a.w1.w22"), Some(22));
        for none in [&b""[..], b"abc", b"w3", b"a.w", b"a.w3x", b"a.W3", b"a.w123456", b"3"] {
            assert_eq!(route(none), None, "{}", String::from_utf8_lossy(none));
        }
    }
}
