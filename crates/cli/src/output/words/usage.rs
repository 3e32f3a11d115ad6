//! The words for arguments that cannot be read. The argument parser puts the option and its value before them.

use super::count;

pub(crate) fn workers_not_a_number() -> String {
    "give a number, `max`, or -N for that many fewer than `max`".to_owned()
}

pub(crate) fn workers_zero() -> String {
    "a crew needs at least one worker: with none, nobody would answer the port".to_owned()
}

pub(crate) fn workers_too_many(limit: u16) -> String {
    format!("a crew has at most {} workers", count(limit.into()))
}

pub(crate) fn span_unknown() -> String {
    "give a whole number with `ms`, `s`, `m` or `h`, such as 500ms; without a unit it is seconds"
        .to_owned()
}

pub(crate) fn span_too_long() -> String {
    "at most 24h".to_owned()
}

pub(crate) fn name_refused(limit: usize) -> String {
    format!(
        "a name has 1 to {limit} letters, digits, `.`, `_` or `-`, and starts with a letter or digit"
    )
}

pub(crate) fn name_all() -> String {
    "`all` means every crew of yours, so none is called that; take another name".to_owned()
}

pub(crate) fn env_without_value() -> String {
    "give KEY=VALUE; KEY= sets an empty value".to_owned()
}

pub(crate) fn env_without_key() -> String {
    "there is no name before the `=`".to_owned()
}

pub(crate) fn env_reserved() -> String {
    "the primary sets this variable itself, anew for each worker; give it another name".to_owned()
}

pub(crate) fn env_sockets() -> String {
    "this says which sockets one process was started with: with --listen the primary sets it, anew for each worker; give \
     it another name"
        .to_owned()
}
