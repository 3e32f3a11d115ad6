//! Where connections go while a group changes.

use std::net::{Shutdown, TcpListener, TcpStream};

use super::world::{accept_all, group, own, reached, seat, seats, spread, tcp};
use crate::net::group::Group;
use crate::net::refused::Refused;

#[test]
fn every_live_seat_gets_connections_and_no_other() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    assert_eq!(reached(&spread(&group, at, 100)), seats(&[0, 1, 2, 3]));
    for number in 0..4 {
        accept_all(&group, seat(number));
    }
    group.steer(&seats(&[1, 3])).unwrap();
    assert_eq!(reached(&spread(&group, at, 100)), seats(&[1, 3]));
}

#[test]
fn a_seat_that_is_added_gets_nothing_before_it_is_live() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    group.add(seat(7)).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[0, 1]));
    group.steer(&seats(&[7])).unwrap();
    assert!(reached(&spread(&group, at, 60)).contains(&seat(7)));
}

#[test]
fn a_seat_that_is_live_before_it_has_a_member_gets_its_share_from_then_on() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 1);
    group.steer(&seats(&[0, 5])).unwrap();
    assert_eq!(reached(&spread(&group, at, 20)), seats(&[0]));
    group.add(seat(5)).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[0, 5]));
}

#[test]
fn the_others_are_steered_as_before_when_one_in_the_middle_is_closed() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 5);
    group.steer(&seats(&[0, 4])).unwrap();
    for closed in [1, 0] {
        // A worker that still has it open keeps nothing in the group.
        let _worker = own(group.get(seat(closed)).unwrap());
        group.close(seat(closed));
    }
    assert_eq!(reached(&spread(&group, at, 100)), seats(&[4]));
    group.add(seat(1)).unwrap();
    group.steer(&seats(&[1, 2])).unwrap();
    accept_all(&group, seat(4));
    assert_eq!(reached(&spread(&group, at, 100)), seats(&[1, 2]));
}

#[test]
fn what_waits_at_a_seat_that_is_steered_away_from_can_be_accepted() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    let waiting = spread(&group, at, 60)[1].1;
    group.steer(&seats(&[0])).unwrap();
    assert_eq!(group.waiting(seat(1)), Some(waiting));
    assert_eq!(accept_all(&group, seat(1)).len(), waiting as usize);
}

#[test]
fn a_seat_keeps_its_member_and_one_that_is_closed_has_none() {
    let (mut group, _) = group(&tcp("127.0.0.1", 0), 2);
    let own = group.get(seat(1)).unwrap().clone();
    assert!(std::sync::Arc::ptr_eq(&own, &group.add(seat(1)).unwrap()));
    group.close(seat(1));
    assert!(group.get(seat(1)).is_none() && group.waiting(seat(1)).is_none());
    assert_eq!(group.seats().collect::<Vec<_>>(), seats(&[0]));
    group.close(seat(1));
}

/// As a worker does it, by `shutdown(2)`.
fn shut(group: &Group, number: u32) {
    let worker = TcpListener::from(own(group.get(seat(number)).unwrap()));
    rustix::net::shutdown(&worker, rustix::net::Shutdown::Both).unwrap();
}

fn listens_again(group: &mut Group, number: u32) -> Result<bool, Refused> {
    group.listen_again(seat(number)).map(|port| port.is_some())
}

#[test]
fn a_member_that_was_shut_down_listens_again_and_is_steered() {
    for shut_down in 0..3 {
        let (mut group, at) = group(&tcp("127.0.0.1", 0), 3);
        group.steer(&seats(&[shut_down])).unwrap();
        shut(&group, shut_down);
        assert_eq!(group.waiting(seat(shut_down)), None);
        assert_eq!(group.listen_again(seat(shut_down)).unwrap(), Some(at.port()));
        assert_eq!(reached(&spread(&group, at, 60)), seats(&[shut_down]));
    }
}

#[test]
fn the_only_member_listens_again_on_the_port_that_the_kernel_chose() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 1);
    shut(&group, 0);
    TcpStream::connect(at).unwrap_err();
    assert!(listens_again(&mut group, 0).unwrap());
    group.add(seat(1)).unwrap();
    group.steer(&seats(&[1])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[1]));
}

#[test]
fn a_member_is_closed_while_another_was_shut_down_and_the_rest_is_steered_right() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    shut(&group, 0);
    group.close(seat(1));
    group.steer(&seats(&[3])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[3]));
    assert!(listens_again(&mut group, 0).unwrap());
    accept_all(&group, seat(3));
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[3]));
}

/// In which order it was done cannot be seen, and so not who has moved where.
#[test]
fn when_several_were_shut_down_at_once_all_that_listen_get_connections() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 4);
    group.steer(&seats(&[3])).unwrap();
    shut(&group, 1);
    shut(&group, 0);
    for number in [0, 1] {
        assert!(listens_again(&mut group, number).unwrap());
    }
    assert_eq!(reached(&spread(&group, at, 100)), seats(&[0, 1, 2, 3]));
    // With one of them the order is known again.
    for number in [0, 1, 2] {
        group.close(seat(number));
    }
    accept_all(&group, seat(3));
    group.add(seat(0)).unwrap();
    group.steer(&seats(&[0])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[0]));
}

#[test]
fn half_a_shutdown_is_one_too() {
    let (mut group, at) = group(&tcp("127.0.0.1", 0), 2);
    let worker = TcpStream::from(own(group.get(seat(0)).unwrap()));
    worker.shutdown(Shutdown::Read).unwrap();
    assert!(listens_again(&mut group, 0).unwrap());
    group.steer(&seats(&[0])).unwrap();
    assert_eq!(reached(&spread(&group, at, 60)), seats(&[0]));
}
