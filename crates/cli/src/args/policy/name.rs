//! The names of policies: ours, Node's, and those of others, which are answered with the right word.

use super::nearest::nearest;
use crate::output::words::policies as words;

/// A policy without its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    RoundRobin,
    LeastConnections,
    Sticky,
    Shared,
    Kernel,
}

impl Name {
    pub(super) const ALL: [Self; 5] =
        [Self::RoundRobin, Self::LeastConnections, Self::Sticky, Self::Shared, Self::Kernel];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastConnections => "least-connections",
            Self::Sticky => "sticky",
            Self::Shared => "shared",
            Self::Kernel => "kernel",
        }
    }

    /// Ours, and Node's own two (`NODE_CLUSTER_SCHED_POLICY`).
    ///
    /// # Errors
    /// The reason in words. Names of other balancers are not taken for ours: what they mean by them differs.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "rr" => return Ok(Self::RoundRobin),
            "none" => return Ok(Self::Shared),
            _ => {}
        }
        if let Some(name) = Self::ALL.into_iter().find(|name| name.as_str() == text) {
            return Ok(name);
        }
        match elsewhere(text) {
            Some(ours) => Err(words::called(text, ours)),
            None => Err(unknown(text, "")),
        }
    }
}

/// Whether it is a policy's name, here or elsewhere.
pub(super) fn is_known(text: &str) -> bool {
    Name::parse(text).is_ok() || elsewhere(text).is_some()
}

/// The name at the beginning of a policy with parameters.
pub(super) fn head(policy: &str) -> &str {
    policy.split_once('=').map_or(policy, |(name, _)| name)
}

/// That nobody has a policy of this name. `rest` is what follows it.
pub(super) fn unknown(text: &str, rest: &str) -> String {
    let found = nearest(&spelled_our_way(text), Name::ALL.map(Name::as_str));
    // Parameters are sticky's alone.
    let found = found.filter(|it| rest.is_empty() || *it == Name::Sticky.as_str());
    words::unknown(text, found)
}

/// What is ours of a name that means something to users of Node, HAProxy, nginx or Envoy.
fn elsewhere(text: &str) -> Option<&'static str> {
    Some(match spelled_our_way(text).as_str() {
        "rr" | "roundrobin" | "round-robin" | "sched-rr" | "wrr" | "static-rr" => "round-robin",
        "lc" | "leastconn" | "least-conn" | "leastconnections" | "least-connections"
        | "least-connection" | "least-request" => "least-connections",
        // nginx takes three of the four bytes.
        "ip-hash" | "iphash" => "sticky=v4:24",
        "source" | "source-ip" | "sticky" | "sticky-session" | "sticky-sessions" | "affinity" => {
            "sticky"
        }
        "cookie" | "rdp-cookie" => "sticky=cookie:NAME",
        "header" | "hdr" => "sticky=header:NAME",
        "query" | "url-param" => "sticky=query:NAME",
        "proxy" => "sticky=proxy",
        "none" | "sched-none" | "shared" => "shared",
        "kernel" | "reuseport" | "reuse-port" | "so-reuseport" => "kernel",
        _ => return None,
    })
}

fn spelled_our_way(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_and_nodes_are_taken_and_those_of_others_answered() {
        for (text, name) in [("rr", Name::RoundRobin), ("none", Name::Shared)] {
            assert_eq!(Name::parse(text), Ok(name));
        }
        for name in Name::ALL {
            assert_eq!(Name::parse(name.as_str()), Ok(name));
        }
        for (text, ours) in [
            ("RR", "round-robin"),
            ("Round_Robin", "round-robin"),
            ("SCHED_NONE", "shared"),
            ("leastconn", "least-connections"),
            ("least_conn", "least-connections"),
            ("ip-hash", "sticky=v4:24"),
            ("source", "sticky"),
            ("reuseport", "kernel"),
            ("SO_REUSEPORT", "kernel"),
            ("cookie", "sticky=cookie:NAME"),
        ] {
            assert_eq!(Name::parse(text), Err(words::called(text, ours)));
        }
    }

    #[test]
    fn of_an_unknown_name_the_nearest_is_offered_where_one_is_near() {
        for (text, near) in [
            ("stikcy", Some("sticky")),
            ("least", Some("least-connections")),
            ("round", Some("round-robin")),
            ("sharde", Some("shared")),
            ("sticky:cookie", Some("sticky")),
            ("random", None),
            ("x", None),
        ] {
            assert_eq!(Name::parse(text), Err(words::unknown(text, near)));
        }
    }
}
