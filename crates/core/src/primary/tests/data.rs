//! The data of a listener (TLS ticket keys): the first that comes is everybody's.

use super::*;
use crate::Errno;

fn with(data: Option<&str>) -> Query {
    Query { data: data.map(Into::into), ..tcp(80) }
}

/// The data of every reply in these actions.
fn given(actions: &[Action]) -> Vec<Option<String>> {
    let data = actions.iter().filter_map(|it| match it {
        Action::Send { message: ToWorker::Reply { data, .. }, .. } => Some(data.clone()),
        _ => None,
    });
    data.collect()
}

fn some(data: &str) -> Vec<Option<String>> {
    vec![Some(data.into())]
}

#[test]
fn a_worker_without_data_leaves_the_place_to_the_first_that_brings_some() {
    let mut world = World::limited(|_| {});
    assert_eq!(given(&world.joins(W1, true, with(None))), [None]);
    assert_eq!(given(&world.joins(W2, true, with(Some("first")))), some("first"));
    assert_eq!(given(&world.joins(WorkerId(3), true, with(Some("second")))), some("first"));
    assert_eq!(given(&world.joins(WorkerId(4), true, with(None))), some("first"));
}

#[test]
fn all_who_wait_for_a_socket_get_what_the_first_of_them_brought() {
    let mut world = World::limited(|_| {});
    let asked = [(W1, None), (W2, Some("first")), (WorkerId(3), Some("second"))];
    for (worker, data) in asked {
        world.comes(worker, true);
        world.asks(worker, with(data));
    }
    assert_eq!(given(&world.bound(L0)), vec![Some("first".to_owned()); 3]);
}

#[test]
fn it_outlives_every_worker_that_had_it() {
    let mut world = World::limited(|_| {});
    world.joins(W1, true, with(Some("first")));
    world.dies(W1);
    assert_eq!(given(&world.joins(W2, true, with(Some("second")))), some("first"));
}

#[test]
fn it_ends_with_its_listener() {
    let mut world = World::limited(|_| {});
    world.joins(W1, true, with(Some("first")));
    world.says(W1, FromWorker::Close { key: tcp(80).key() });
    assert_eq!(given(&world.joins(W2, true, with(Some("second")))), some("second"));
}

#[test]
fn an_error_carries_it_too() {
    let mut world = World::limited(|_| {});
    world.joins(W1, true, with(Some("first")));
    world.says(W1, FromWorker::Listening { query: tcp(80), port: 80 });
    let again = world.asks(W1, with(Some("second")));
    assert_eq!(replies(&again), [(W1, Reply::Failed(Errno::ADDRESS_IN_USE))]);
    assert_eq!(given(&again), some("first"));
    world.comes(W2, true);
    world.asks(W2, Query { data: Some("own".into()), ..tcp(81) });
    let outcome = Err(Errno::ACCESS);
    let failed = world.on(Event::Bound { listener: ListenerId(1), outcome }).to_vec();
    assert_eq!(given(&failed), some("own"));
}

#[test]
fn too_much_of_it_is_refused_and_not_kept() {
    let mut world = World::limited(|limits| limits.data = 5);
    world.comes(W1, true);
    let refused = world.asks(W1, with(Some("longer")));
    assert_eq!(replies(&refused), [(W1, Reply::Failed(Errno::TOO_LARGE))]);
    assert_eq!(given(&refused), [None]);
    assert_eq!(given(&world.joins(W2, true, with(Some("short")))), some("short"));
}
