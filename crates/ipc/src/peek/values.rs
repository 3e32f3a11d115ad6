//! A cookie in its header, a parameter in its query. Of several of one name the first that is not empty counts.

/// The value of the cookie `name` in the value of one `Cookie` header (RFC 6265, 4.2.1).
///
/// Every `;` separates, also between quotes: no cookie can hold one. The blank after it may be missing or more
/// than one, and quotes round a whole value are not part of it.
pub(super) fn cookie<'a>(header: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let pairs = header.split(|byte| *byte == b';').filter_map(pair);
    let mut found =
        pairs.filter(|(it, _)| it.trim_ascii() == name).map(|(_, value)| unquoted(value));
    found.find(|value| !value.is_empty())
}

/// The value of the parameter `name` in the query of a request's target: what is between the first `?` and a
/// `#`, as `name=value` separated by `&` (WHATWG URL, 5.1). Nothing is decoded.
pub(super) fn query<'a>(target: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let whole = target.split(|byte| *byte == b'#').next()?;
    let start = whole.iter().position(|byte| *byte == b'?')? + 1;
    let pairs = whole[start..].split(|byte| *byte == b'&').filter_map(pair);
    let mut found = pairs.filter(|(it, _)| *it == name).map(|(_, value)| value);
    found.find(|value| !value.is_empty())
}

/// What is before the first `=` and what is behind it.
fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..]))
}

fn unquoted(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(
        cases: &[(&str, Option<&str>)],
        find: fn(&'static [u8], &[u8]) -> Option<&'static [u8]>,
    ) {
        for (text, expected) in cases {
            let text: &'static [u8] = text.to_string().leak().as_bytes();
            let found = find(text, b"sid").map(String::from_utf8_lossy);
            assert_eq!(found.as_deref(), *expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let cases = [
            ("sid=abc", Some("abc")),
            ("a=1; sid=abc; b=2", Some("abc")),
            ("a=1;sid=abc;b=2", Some("abc")),
            ("a=1;  \tsid = abc ", Some("abc")),
            ("sid=a=b==", Some("a=b==")),
            ("xsid=1; sidx=2; sid=3", Some("3")),
            ("SID=abc", None),
            ("a=sid", None),
            ("sid", None),
            ("", None),
            (";;; =; sid=abc", Some("abc")),
        ];
        texts(&cases, cookie);
    }

    #[test]
    fn quotes_round_a_cookie_are_not_part_of_it() {
        let cases = [
            ("sid=\"abc\"", Some("abc")),
            ("sid=\"abc", Some("\"abc")),
            ("sid=abc\"", Some("abc\"")),
            ("sid=\"", Some("\"")),
            ("sid=\"\"", None),
            ("sid=\"a;b\"", Some("\"a")),
        ];
        texts(&cases, cookie);
    }

    #[test]
    fn the_first_value_that_is_not_empty_counts() {
        texts(
            &[("sid=; sid=a; sid=b", Some("a")), ("sid=", None), ("sid=; sid=\"\"", None)],
            cookie,
        );
        texts(&[("/?sid=&sid=a&sid=b", Some("a")), ("/?sid=", None), ("/?sid", None)], query);
    }

    #[test]
    fn a_parameter_is_found_in_the_query_alone() {
        let cases = [
            ("/socket.io/?EIO=4&transport=polling&sid=abc", Some("abc")),
            ("/?sid=a%20b+c", Some("a%20b+c")),
            ("/?sid=a=b?c", Some("a=b?c")),
            ("/?a?sid=1&sid=2", Some("2")),
            ("http://host/path?sid=abc", Some("abc")),
            ("/?sid=abc#sid=d", Some("abc")),
            ("/#?sid=abc", None),
            ("/sid=abc", None),
            ("/&sid=abc", None),
            ("/?xsid=1&SID=2&s%69d=3", None),
            ("/?a=1;sid=2", None),
            ("*", None),
            ("?", None),
        ];
        texts(&cases, query);
    }
}
