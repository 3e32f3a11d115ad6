//! Accept queues: whether any overflowed since the machine was started, and how deep those of the crews have been.

use super::checks::{Check, Queue};
use super::limits;
use crate::control::v1::{AcceptQueue, Listener, Status};
use crate::control::{ANSWER_WITHIN, Client, Crews, Failure, Found, listen_overflows};
use crate::output::words::{commands, doctor as words};

/// So many times the deepest that was seen is room enough: it was seen by looks, and a burst may be longer.
const ROOM: u64 = 4;

/// The least backlog that is advised.
const LEAST_ADVISED: u64 = 1024;

/// The policy under which workers listen for themselves.
const WITHOUT_PRIMARY: [&str; 2] = ["shared", "kernel"];

/// All of them.
pub(super) fn all() -> Vec<Check> {
    let overflows = listen_overflows().map(|count| match count {
        0 => Check::good(words::OVERFLOWS, words::no_overflow()),
        _ => Check::advice(words::OVERFLOWS, words::overflowed(count), words::overflow_next()),
    });
    overflows.into_iter().chain(crews()).collect()
}

/// What the running crews have seen.
fn crews() -> Vec<Check> {
    let Ok(crews) = Crews::of_this_user() else {
        // Why not is said of the control sockets.
        return Vec::new();
    };
    let longest = limits::somaxconn();
    let checks = crews.names.iter().flat_map(|name| match crews.find(name) {
        Found::Crew(client) => crew(name, &client, longest),
        Found::Silent(pid) => {
            vec![Check::advice(words::CREW, commands::silent(name, pid), words::silent_next())]
        }
        Found::Full(_) => vec![hangs(name)],
        Found::Nobody => Vec::new(),
    });
    checks.collect()
}

fn crew(name: &str, client: &Client, longest: Option<u64>) -> Vec<Check> {
    match client.get::<Status>("/v1/status") {
        Ok(status) => {
            status.listeners.iter().filter_map(|it| listener(name, it, longest)).collect()
        }
        // It has ended since it was found.
        Err(Failure::NoCrew) => Vec::new(),
        Err(Failure::Late | Failure::Silent(_)) => vec![hangs(name)],
        Err(Failure::NoAnswer(_) | Failure::Refused(..)) => {
            let next = words::unreadable_next(name);
            vec![Check::advice(words::CREW, words::unreadable(name), next)]
        }
    }
}

fn hangs(crew: &str) -> Check {
    Check::bad(words::CREW, words::hangs(crew, ANSWER_WITHIN), words::hangs_next(crew))
}

/// What is to be thought of one listener's queue; `None` where the kernel has no numbers of it.
fn listener(crew: &str, listener: &Listener, longest: Option<u64>) -> Option<Check> {
    let seen = listener.accept_queue.as_ref()?;
    let address = listener.address.as_ref().unwrap_or(&listener.key);
    let queue = Queue {
        crew: crew.to_owned(),
        listener: address.clone(),
        deepest: seen.deepest,
        limit: seen.limit,
        dropped: seen.dropped,
        held_deepest: listener.deepest,
        backlog: advised(seen),
    };
    let found = words::queue_found(&queue.listener, crew, seen, listener.deepest);
    let check = match queue.backlog {
        None => Check::good(words::QUEUE, found),
        Some(backlog) => {
            let too_low = longest.filter(|longest| *longest < backlog);
            let workers_listen = WITHOUT_PRIMARY.contains(&listener.policy.as_str());
            let next = words::backlog_next(backlog, too_low, crew, workers_listen);
            Check::advice(words::QUEUE, found, next)
        }
    };
    Some(Check { queue: Some(queue), ..check })
}

/// The backlog that would have room for what was seen; `None` where half of the present one was never needed.
fn advised(queue: &AcceptQueue) -> Option<u64> {
    let (deepest, limit) = (u64::from(queue.deepest), u64::from(queue.limit));
    let overflowed = queue.dropped.is_some_and(|it| it > 0);
    // What was dropped found the queue full, whether or not that was seen by a look.
    let needed = if overflowed { deepest.max(limit + 1) } else { deepest };
    let is_enough = needed * 2 <= limit;
    (!is_enough).then(|| (needed * ROOM).max(LEAST_ADVISED).next_power_of_two())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(deepest: u32, limit: u32, dropped: Option<u32>) -> AcceptQueue {
        AcceptQueue { waiting: 0, limit, deepest, dropped }
    }

    #[test]
    fn a_longer_backlog_is_advised_when_more_than_half_was_needed_or_anything_dropped() {
        for (seen, expected) in [
            (queue(0, 511, Some(0)), None),
            (queue(255, 511, Some(0)), None),
            (queue(256, 511, None), Some(1024)),
            (queue(512, 511, Some(0)), Some(2048)),
            // Dropped between two looks.
            (queue(3, 511, Some(1)), Some(2048)),
            (queue(4097, 4096, Some(9)), Some(32_768)),
            (queue(3, 2, Some(0)), Some(1024)),
        ] {
            assert_eq!(advised(&seen), expected, "{seen:?}");
            assert!(expected.is_none_or(|it| it > u64::from(seen.limit)));
        }
    }

    #[test]
    fn the_crew_and_its_listener_are_named_with_the_backlog_and_the_systems_limit_where_it_is_less()
    {
        let seen = Listener {
            key: "null:80:4".to_owned(),
            address: Some("port 80".to_owned()),
            policy: "round-robin".to_owned(),
            accepted: Some(9),
            taken: Some(9),
            accepting: true,
            held: 0,
            deepest: 256,
            accept_queue: Some(queue(512, 511, Some(7))),
            workers: Vec::new(),
        };
        let check = |longest| listener("api", &seen, longest).unwrap();
        let found = check(Some(4096)).found;
        for part in ["port 80 of api", "512 of 511", "7 dropped", "256 in the primary"] {
            assert!(found.contains(part), "{part}: {found}");
        }
        let next = |longest| check(longest).next.unwrap();
        assert!(next(Some(1024)).contains(", raise net.core.somaxconn: `sysctl"));
        assert!(!next(Some(4096)).contains("somaxconn"), "{}", next(Some(4096)));
        let json = serde_json::to_value(check(None)).unwrap();
        assert_eq!((&json["crew"], &json["listener"]), (&"api".into(), &"port 80".into()));
        assert_eq!((&json["backlog"], &json["verdict"]), (&2048.into(), &"advice".into()));
        let unix = Listener { accept_queue: None, ..seen };
        assert_eq!(listener("api", &unix, None), None);
    }

    #[test]
    fn a_reload_is_advised_only_where_the_new_workers_listen_themselves() {
        let next = |workers_listen| words::backlog_next(2048, Some(1024), "api", workers_listen);
        for part in ["set backlog to 2048", "net.core.somaxconn=2048", "portcrew scale api +1"] {
            assert!(next(true).contains(part) && next(false).contains(part), "{part}");
        }
        assert!(next(true).contains("then `portcrew reload api`"), "{}", next(true));
        assert!(next(false).contains("then stop and start api"), "{}", next(false));
        assert!(!next(false).contains("portcrew reload"), "{}", next(false));
    }
}
