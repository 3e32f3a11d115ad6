//! Where connections go while a group changes.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::world::{accept_all, group, own, place, places, reached, spread, tcp};
use crate::net::group::Group;
use crate::net::refused::Refused;

#[test]
fn every_live_seat_gets_connections_and_no_other() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    assert_eq!(reached(&spread(&group, at, 100)), places(&[0, 1, 2, 3]));
    for number in 0..4 {
        accept_all(&group, place(number));
    }
    group.steer(&places(&[1, 3])).unwrap();
    assert_eq!(reached(&spread(&group, at, 100)), places(&[1, 3]));
}

#[test]
fn a_seat_that_is_added_gets_nothing_before_it_is_live() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    group.add(place(7)).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[0, 1]));
    group.steer(&places(&[7])).unwrap();
    assert!(reached(&spread(&group, at, 60)).contains(&place(7)));
}

#[test]
fn a_seat_that_is_live_before_it_has_a_member_gets_its_share_from_then_on() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 1);
    group.steer(&places(&[0, 5])).unwrap();
    assert_eq!(reached(&spread(&group, at, 20)), places(&[0]));
    group.add(place(5)).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[0, 5]));
}

#[test]
fn the_others_are_steered_as_before_when_one_in_the_middle_is_closed() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 5);
    group.steer(&places(&[0, 4])).unwrap();
    // A worker that still has one open keeps nothing in the group.
    let _workers = [0, 1].map(|number| own(group.get(place(number)).unwrap()));
    for closed in [1, 0] {
        group.close(place(closed));
    }
    assert_eq!(reached(&spread(&group, at, 100)), places(&[4]));
    group.add(place(1)).unwrap();
    group.steer(&places(&[1, 2])).unwrap();
    accept_all(&group, place(4));
    assert_eq!(reached(&spread(&group, at, 100)), places(&[1, 2]));
}

#[test]
fn what_waits_at_a_seat_that_is_steered_away_from_can_be_accepted() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    let waiting = spread(&group, at, 60)[1].1;
    group.steer(&places(&[0])).unwrap();
    assert_eq!(group.waiting(place(1)), Some(waiting));
    assert_eq!(accept_all(&group, place(1)).len(), waiting as usize);
}

#[test]
fn a_seat_keeps_its_member_and_one_that_is_closed_has_none() {
    let (mut group, _) = group(&tcp("127.0.0.1", 0), 2);
    let own = group.get(place(1)).unwrap().clone();
    assert!(std::sync::Arc::ptr_eq(&own, &group.add(place(1)).unwrap()));
    group.close(place(1));
    assert!(group.get(place(1)).is_none() && group.waiting(place(1)).is_none());
    assert_eq!(group.places().collect::<Vec<_>>(), places(&[0]));
    group.close(place(1));
}

/// As a worker does it, by `shutdown(2)`.
fn shut(group: &Group, number: usize) {
    let worker = TcpListener::from(own(group.get(place(number)).unwrap()));
    rustix::net::shutdown(&worker, rustix::net::Shutdown::Both).unwrap();
}

fn listens_again(group: &mut Group, number: usize) -> Result<bool, Refused> {
    group.listen_again(place(number)).map(|port| port.is_some())
}

#[test]
fn a_member_that_was_shut_down_listens_again_and_is_steered() {
    for shut_down in 0..3 {
        let (mut group, at) = group(&tcp("127.0.0.1", 0), 3);
        group.steer(&places(&[shut_down])).unwrap();
        shut(&group, shut_down);
        assert_eq!(group.waiting(place(shut_down)), None);
        assert_eq!(group.listen_again(place(shut_down)).unwrap(), Some(at.port()));
        assert_eq!(reached(&spread(&group, at, 60)), places(&[shut_down]));
    }
}

#[test]
fn the_only_member_listens_again_on_the_port_that_the_kernel_chose() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 1);
    shut(&group, 0);
    TcpStream::connect(at).unwrap_err();
    assert!(listens_again(&mut group, 0).unwrap());
    group.add(place(1)).unwrap();
    group.steer(&places(&[1])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[1]));
}

#[test]
fn a_member_is_closed_while_another_was_shut_down_and_the_rest_is_steered_right() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    shut(&group, 0);
    group.close(place(1));
    group.steer(&places(&[3])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[3]));
    assert!(listens_again(&mut group, 0).unwrap());
    accept_all(&group, place(3));
    assert_eq!(reached(&spread(&group, at, 60)), places(&[3]));
}

/// In which order it was done cannot be seen, and so not who has moved where.
#[test]
fn when_several_were_shut_down_at_once_all_that_listen_get_connections() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    group.steer(&places(&[3])).unwrap();
    shut(&group, 1);
    shut(&group, 0);
    for number in [0, 1] {
        assert!(listens_again(&mut group, number).unwrap());
    }
    assert_eq!(reached(&spread(&group, at, 100)), places(&[0, 1, 2, 3]));
    // With one of them the order is known again.
    for number in [0, 1, 2] {
        group.close(place(number));
    }
    accept_all(&group, place(3));
    group.add(place(0)).unwrap();
    group.steer(&places(&[0])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[0]));
}

#[test]
fn half_a_shutdown_is_one_too() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    let worker = TcpStream::from(own(group.get(place(0)).unwrap()));
    worker.shutdown(Shutdown::Read).unwrap();
    assert!(listens_again(&mut group, 0).unwrap());
    group.steer(&places(&[0])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), places(&[0]));
}

/// The live places are the last ones, so each end moves one of them, and its index belongs to nobody for a moment.
#[test]
fn while_seats_are_closed_nothing_comes_to_others_that_are_steered_away_from() {
    /// Of both clients together no more than the queues hold, for nobody accepts.
    const CONNECTIONS: usize = 250;
    for _ in 0..20 {
        let (mut group, at) = group(&tcp("127.0.0.1", 0), 8);
        group.steer(&places(&[6, 7])).unwrap();
        std::thread::scope(|scope| {
            let connect = || {
                for _ in 0..CONNECTIONS {
                    let client = TcpStream::connect(at).unwrap();
                    // A reset: else each keeps a port for a minute.
                    set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
                }
            };
            let clients = [scope.spawn(connect), scope.spawn(connect)];
            let waits = |number| group.waiting(place(number)) != Some(0);
            while !waits(6) && !waits(7) && !clients.iter().all(ScopedJoinHandle::is_finished) {
                std::thread::yield_now();
            }
            (0..4).for_each(|closed| group.close(place(closed)));
        });
        for number in [4, 5] {
            assert_eq!(group.waiting(place(number)), Some(0), "{number}");
        }
    }
}
