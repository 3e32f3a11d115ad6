//! Workers with fewer rights than the primary are lent none of its own but those that are allowed.

use super::*;
use crate::Errno;

/// Everything by which a worker could have more rights than it has, by the name to allow.
fn privileges() -> Vec<(Query, ListenerName)> {
    let fd = |fd| Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(fd) };
    let path = ListenerName::Path("/s".into());
    vec![
        (tcp(1), ListenerName::Port(1)),
        (tcp(1023), ListenerName::Port(1023)),
        (udp(53, 0, 0), ListenerName::Port(53)),
        (udp(5353, Address::UDP_REUSE_PORT, 0), ListenerName::Port(5353)),
        (unix(), path),
        (query(Address::Fd { fd: 3 }), ListenerName::Fd(3)),
        (query(fd(4)), ListenerName::Fd(4)),
    ]
}

fn confined(change: impl FnOnce(&mut super::super::Confinement)) -> World {
    let mut world = World::with(|settings| change(&mut settings.confinement));
    world.comes(W1, true);
    world.on(Event::Confined { worker: W1 });
    world
}

/// What was told of a refusal, with the name to allow.
fn told(actions: &[Action]) -> Option<(WorkerId, Errno, Option<ListenerName>)> {
    actions.iter().find_map(|it| match it {
        Action::Notify(Notice::ListenFailed { worker, errno, lacks, .. }) => {
            Some((*worker, *errno, lacks.clone()))
        }
        _ => None,
    })
}

#[test]
fn each_privilege_is_refused_by_the_name_that_would_allow_it_and_nothing_is_bound() {
    for (query, name) in privileges() {
        let mut world = confined(|_| {});
        let actions = world.asks(W1, query);
        assert_eq!(replies(&actions), [(W1, Reply::Failed(Errno::ACCESS))], "{name}");
        assert_eq!(told(&actions), Some((W1, Errno::ACCESS, Some(name))));
        assert_eq!(actions.len(), 2, "{actions:?}");
        assert_eq!(world.primary.listeners().count(), 0);
    }
}

#[test]
fn what_is_allowed_is_bound_and_nothing_beside_it() {
    for (query, name) in privileges() {
        let mut world = confined(|it| it.allowed = [name.clone()].into());
        assert!(matches!(world.asks(W1, query)[..], [Action::Bind { .. }]), "{name}");
        for (other, lacks) in privileges().into_iter().filter(|(_, it)| *it != name) {
            assert_eq!(told(&world.asks(W1, other)), Some((W1, Errno::ACCESS, Some(lacks))));
        }
    }
}

#[test]
fn what_anybody_may_have_is_bound_without_being_allowed() {
    let reused = udp(0, Address::UDP_REUSE_PORT, 0);
    for query in [tcp(0), tcp(1024), tcp(65_535), udp(0, 0, 0), udp(1024, 0, 0), reused] {
        let mut world = confined(|_| {});
        assert!(matches!(world.asks(W1, query)[..], [Action::Bind { .. }]));
    }
}

#[test]
fn where_low_ports_need_no_privilege_they_are_not_refused() {
    let mut world = confined(|it| it.first_free_port = 80);
    assert!(matches!(world.asks(W1, tcp(80))[..], [Action::Bind { .. }]));
    assert!(told(&world.asks(W1, tcp(79))).is_some());
}

#[test]
fn workers_with_the_rights_of_the_primary_are_asked_nothing() {
    for (query, name) in privileges() {
        let mut world = World::limited(|_| {});
        world.comes(W1, true);
        assert!(matches!(world.asks(W1, query)[..], [Action::Bind { .. }]), "{name}");
    }
}

#[test]
fn a_listener_that_others_have_is_not_shared_and_nothing_of_it_is_told() {
    let mut world = World::limited(|_| {});
    let with = |data: &str| Query { data: Some(data.into()), ..tcp(80) };
    world.joins(W1, true, with("\"secret\""));
    world.comes(W2, true);
    world.on(Event::Confined { worker: W2 });
    let large = "x".repeat(Limits::DATA + 1);
    for (own, comes_back) in [("its own", true), (large.as_str(), false)] {
        let actions = world.asks(W2, with(own));
        assert_eq!(replies(&actions), [(W2, Reply::Failed(Errno::ACCESS))]);
        let text = format!("{actions:?}");
        assert!(text.contains(own) == comes_back && !text.contains("secret"), "{text}");
    }
    assert_eq!(world.view(L0).holders.iter().map(|it| it.worker).collect::<Vec<_>>(), [W1]);
}
