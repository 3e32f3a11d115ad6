//! The environment contract between a parent and its child: the names of the variables that carry
//! the channel, the lane and the worker id, and the removal of inherited ones.

use std::ffi::{OsStr, OsString};

/// Number of the channel's descriptor in the child, as Node's `child_process` writes it.
pub const CHANNEL_FD: &str = "NODE_CHANNEL_FD";
/// How messages are written on the channel: `json` or `advanced`.
pub const SERIALIZATION_MODE: &str = "NODE_CHANNEL_SERIALIZATION_MODE";
/// Decimal id of a cluster worker. Its absence makes the child a plain fork.
pub const UNIQUE_ID: &str = "NODE_UNIQUE_ID";
/// Number of the lane's descriptor in the child. Programs that are not portcrew's never look at it.
pub const LANE_FD: &str = "PORTCREW_LANE_FD";
/// How long a worker may go on that has lost its primary, in milliseconds.
pub const GRACE: &str = "PORTCREW_GRACE_MS";
/// The plan for the exec helper, see [`crate::exec_helper`].
pub const EXEC_PLAN: &str = "PORTCREW_EXEC";
/// How many listening sockets follow from descriptor 3 on (socket activation).
pub const LISTEN_FDS: &str = "LISTEN_FDS";
/// The process that [`LISTEN_FDS`] is meant for.
pub const LISTEN_PID: &str = "LISTEN_PID";
/// Names of the sockets that [`LISTEN_FDS`] counts.
pub const LISTEN_FDNAMES: &str = "LISTEN_FDNAMES";

/// The same process as a descriptor's inode: systemd says it beside [`LISTEN_PID`].
pub const LISTEN_PIDFDID: &str = "LISTEN_PIDFDID";

/// Everything that describes descriptors of one particular process. A child that saw its parent's
/// values would take a descriptor that is not there, or worse, one that is something else.
pub(crate) const SCRUBBED: [&str; 9] = [
    CHANNEL_FD,
    SERIALIZATION_MODE,
    UNIQUE_ID,
    LANE_FD,
    EXEC_PLAN,
    LISTEN_FDS,
    LISTEN_PID,
    LISTEN_FDNAMES,
    LISTEN_PIDFDID,
];

/// True for a variable that [`crate::spawn`](fn@crate::spawn::spawn) never takes from the caller's
/// environment.
#[must_use]
pub fn is_reserved(name: &OsStr) -> bool {
    SCRUBBED.iter().any(|reserved| name == *reserved)
}

/// Copies an environment without the reserved variables. A name that comes twice keeps its last
/// value, in its first place, because the first match is what `getenv` finds.
pub(crate) fn scrubbed(env: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let mut clean: Vec<(OsString, OsString)> = Vec::with_capacity(env.len());
    let mut places = std::collections::HashMap::with_capacity(env.len());
    for (name, value) in env.iter().filter(|(name, _)| !is_reserved(name)) {
        match places.entry(name) {
            std::collections::hash_map::Entry::Occupied(place) => {
                let index: usize = *place.get();
                clean[index].1.clone_from(value);
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(clean.len());
                clean.push((name.clone(), value.clone()));
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (OsString, OsString) {
        (name.into(), value.into())
    }

    #[test]
    fn reserved_names_are_removed_and_the_others_stay_in_order() {
        let env = [
            pair("PATH", "/bin"),
            pair(UNIQUE_ID, "7"),
            pair("HOME", "/root"),
            pair(LISTEN_FDS, "1"),
            pair(EXEC_PLAN, "{}"),
        ];
        assert_eq!(scrubbed(&env), [pair("PATH", "/bin"), pair("HOME", "/root")]);
    }

    #[test]
    fn the_last_value_of_a_repeated_name_wins() {
        let env = [pair("A", "1"), pair("B", "2"), pair("A", "3")];
        assert_eq!(scrubbed(&env), [pair("A", "3"), pair("B", "2")]);
    }
}
