//! The words about who gets a listener's connections: what `--explain` says, and what has to be said without it.

use std::fmt::Display;
use std::time::Duration;

use portcrew::{Counter, Dialect, LookFor, Sticky, StickyBy, Window};

use super::notices::span;
use super::of;
use crate::args::Policy;

/// Who accepts, and by which policy; `sticky` has the parameters of that policy.
pub(crate) fn accepts(listener: &dyn Display, policy: &Policy, sticky: &Sticky) -> String {
    let hands_over = |how: &str| format!("{listener}: the primary accepts and hands over {how}");
    match policy {
        Policy::RoundRobin => hands_over("in turn (round-robin)"),
        Policy::LeastConnections => {
            hands_over("to the worker with the fewest open connections (least-connections)")
        }
        Policy::Sticky(_) => {
            hands_over(&format!("each client to its own worker (sticky), {}", by(sticky)))
        }
        Policy::Shared => {
            format!("{listener}: the workers accept from one socket (shared); the kernel chooses")
        }
        Policy::Kernel => format!(
            "{listener}: each worker accepts from a socket of its own (kernel); the kernel spreads connections over \
             them, and what waits at one for too long is handed to another worker"
        ),
    }
}

/// The same under `kernel`, of workers without a channel.
pub(crate) fn accepts_alone(listener: &dyn Display) -> String {
    format!(
        "{listener}: each worker accepts from a socket of its own (kernel); the kernel spreads connections over them. What \
         waits for a worker that is stuck waits for it: without a channel nothing can be handed to another"
    )
}

/// The same of a listener for UDP.
pub(crate) fn receives(listener: &dyn Display, is_kernel: bool) -> String {
    if is_kernel {
        format!(
            "{listener}: each worker receives from a socket of its own (kernel); a client stays with one"
        )
    } else {
        format!(
            "{listener}: the workers receive from one socket; of the policies only kernel is for UDP"
        )
    }
}

/// By what a client is known, and how long it is waited for.
fn by(sticky: &Sticky) -> String {
    let address = format!(
        "the address{} (IPv4 by {}, IPv6 by {})",
        if sticky.proxy { " in its PROXY header, else its own" } else { "" },
        of(sticky.ipv4_prefix.into(), "bit"),
        of(sticky.ipv6_prefix.into(), "bit"),
    );
    let known = match &sticky.by {
        StickyBy::Address => format!("known by {address}"),
        StickyBy::Value(value) if sticky.in_turn => {
            format!("known by {}, dealt in turn without it", value_of(value))
        }
        StickyBy::Value(value) => format!("known by {}, else by {address}", value_of(value)),
    };
    match sticky.wait {
        Duration::ZERO => format!("{known}; a busy worker is not waited for"),
        wait => format!("{known}; a busy worker is waited for {}", span(wait)),
    }
}

fn value_of(value: &LookFor) -> String {
    match value {
        LookFor::Cookie(name) => format!("the cookie `{name}`"),
        LookFor::Header(name) => format!("the header `{name}`"),
        LookFor::Query(name) => format!("`{name}` in the query"),
    }
}

/// Who counts open connections, and how many a worker may owe an answer for. Without a window workers accept for
/// themselves.
pub(crate) fn bounds(
    listener: &dyn Display,
    counted_by: Option<Counter>,
    window: Option<Window>,
) -> String {
    let Some(window) = window else {
        return format!("{listener}: nobody counts open connections; a worker takes what it can");
    };
    let counted = match counted_by {
        None => "nobody counts open connections, at which the policy does not look",
        Some(Counter::Kernel) => "open connections are counted by what the kernel tells",
        Some(Counter::Workers) => "open connections are counted by what the workers tell",
    };
    let window = match (window.lane, window.channel) {
        (1, 1) => "a worker has one unanswered at a time".to_owned(),
        (lane, channel) if lane == channel => {
            format!("a worker has up to {lane} unanswered, one while it is slow")
        }
        (lane, channel) => format!(
            "a worker has up to {lane} unanswered on the lane or {channel} on its channel, one while it is slow"
        ),
    };
    format!("{listener}: {counted}; {window}")
}

/// How a worker is spoken to.
pub(crate) fn speaks(worker: &dyn Display, dialect: Option<Dialect>, self_bound: bool) -> String {
    let how = match dialect {
        Some(Dialect::Lane) => "is handed connections on the lane",
        Some(Dialect::Node) => "speaks Node's channel",
        Some(Dialect::Bun) => "speaks Node's channel in Bun's dialect",
        // One of a newer library, or none any more.
        Some(_) | None => "speaks a dialect without a name",
    };
    let own = if self_bound { "; what it binds by itself, no policy is for" } else { "" };
    format!("worker {worker} {how}{own}")
}

/// A policy that is another than at the start.
pub(crate) fn changed(listener: &dyn Display, policy: &str) -> String {
    format!("{listener}: the policy is {policy} from now on")
}

/// A listener whose policy needs counts that the kernel does not give.
pub(crate) fn counted_by_workers(listener: &dyn Display) -> String {
    format!(
        "{listener}: the kernel does not tell when its connections end, so open ones are counted by what the workers \
         tell; where one tells nothing, they are dealt in turn"
    )
}

pub(crate) fn uncounted(listener: &dyn Display, worker: &dyn Display) -> String {
    format!(
        "{listener}: worker {worker} does not tell when its connections end, so open ones cannot be counted: they are \
         dealt in turn, as by round-robin"
    )
}

pub(crate) fn failed(listener: &dyn Display, failure: &dyn Display) -> String {
    format!("{listener}: the policy failed, round-robin decides in its place: {failure}")
}

/// A policy for a listener that nobody has asked for.
pub(crate) fn not_met(item: &dyn Display, after: Duration) -> String {
    format!(
        "--policy {item}: no worker has asked for this listener, {} after the start. It is named as the program names \
         it; one that the program binds by itself is not asked for",
        span(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(text: &str) -> String {
        let policy: Policy = text.parse().unwrap();
        let sticky = match &policy {
            Policy::Sticky(sticky) => crate::plan::meant_sticky(sticky),
            _ => Sticky::default(),
        };
        accepts(&"port 80", &policy, &sticky)
    }

    #[test]
    fn sticky_is_explained_with_its_parameters() {
        let words = explained("sticky");
        assert!(words.ends_with(
            "(sticky), known by the address (IPv4 by 32 bits, IPv6 by 64 bits); a busy worker is waited for 1 s"
        ));
        let words = explained("sticky=cookie:sid+proxy+v4:24+wait:0");
        assert!(words.ends_with(
            "known by the cookie `sid`, else by the address in its PROXY header, else its own (IPv4 by 24 bits, IPv6 \
             by 64 bits); a busy worker is not waited for"
        ));
        assert!(explained("sticky=header:X-Id").contains("known by the header `X-Id`, else"));
        assert!(
            explained("sticky=query:sid+turn").contains("in the query, dealt in turn without it")
        );
        assert!(explained("sticky=query:sid").contains("known by `sid` in the query, else"));
    }

    #[test]
    fn the_others_are_explained_by_who_accepts() {
        assert!(explained("rr").contains("the primary accepts and hands over in turn"));
        assert!(
            explained("least-connections").contains("the worker with the fewest open connections")
        );
        assert!(explained("shared").contains("the workers accept from one socket"));
    }
}
