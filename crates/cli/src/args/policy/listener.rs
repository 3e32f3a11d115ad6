//! LISTENER: a TCP port, a Unix-domain path with a slash in it, or `fd:N`.

use portcrew::ListenerName;

use super::name;
use crate::output::words::policies as words;

/// What a descriptor of the primary begins with.
const FD: &str = "fd:";

/// Divides LISTENER=POLICY. A path may contain `=`, so it ends before the first that a policy follows; where none
/// does, before the first at all.
pub(super) fn split(item: &str) -> Option<(&str, &str)> {
    let places = item.match_indices('=').map(|(at, _)| (&item[..at], &item[at + 1..]));
    let mut before_policy = places.clone().filter(|(_, rest)| name::is_known(name::head(rest)));
    let mut all = places;
    before_policy.next().or_else(|| all.next())
}

/// Whether it is meant for a listener, right or wrong.
pub(super) fn looks_like_one(text: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit());
    let number = text.split([':', '=']).next().unwrap_or(text);
    text.contains('/') || text.starts_with(FD) || is_number(number)
}

/// Reads what [looks like one](looks_like_one).
pub(in crate::args) fn parse(text: &str) -> Result<ListenerName, String> {
    if text.contains('/') {
        return Ok(ListenerName::Path(text.to_owned()));
    }
    if let Some(number) = text.strip_prefix(FD) {
        let number = number.parse().ok().filter(|fd| *fd >= 0);
        return number.map(ListenerName::Fd).ok_or_else(|| words::not_a_descriptor(text));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(words::not_a_listener(text));
    }
    match text.parse() {
        Ok(0) => Err(words::any_port()),
        Ok(port) => Ok(ListenerName::Port(port)),
        Err(_) => Err(words::not_a_port(text)),
    }
}
