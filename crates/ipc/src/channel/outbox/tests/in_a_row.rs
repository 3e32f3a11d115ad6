//! Connections of listeners that go in a row, and what goes with them.

use super::*;
use crate::message::{ClusterBody, ClusterMessage, Key};

/// A queue with room for `window` connections on their way.
pub(super) fn outbox_with(window: usize) -> Outbox<u64> {
    Outbox::new(&ChannelSettings { handle_window: window, ..ChannelSettings::default() })
}

/// A connection of a listener with a key of that many bytes.
pub(super) fn conn_with_key(number: u64, length: usize) -> (Packet, Option<OutgoingHandle<u64>>) {
    let key = Key::from("k".repeat(length));
    let message = ClusterMessage::new(number, ClusterBody::NewConn { key });
    let packet = Packet::Handle { kind: HandleKind::NetNative, inner: Inner::Cluster(message) };
    (packet, Some(OutgoingHandle { fd: number, token: number }))
}

fn conn(number: u64) -> (Packet, Option<OutgoingHandle<u64>>) {
    conn_with_key(number, 10)
}

/// Writes all that may be written and tells which descriptors went, in order.
fn written(outbox: &mut Outbox<u64>) -> Vec<u64> {
    std::iter::from_fn(|| write(outbox, usize::MAX)).filter_map(|(_, fd)| fd).collect()
}

#[test]
fn as_many_connections_as_the_window_says_are_under_way() {
    let mut outbox = outbox_with(3);
    (0..5).for_each(|number| queue(&mut outbox, conn(number)));
    assert_eq!(written(&mut outbox), [0, 1, 2]);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 0 });
    assert_eq!(written(&mut outbox), [3]);
    for token in [1, 2, 3] {
        assert_eq!(outbox.answered(token != 2), Answered::Handle { token });
    }
    assert_eq!(written(&mut outbox), [4]);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 4 });
    assert_eq!(outbox.answered(true), Answered::Nothing);
    assert!(outbox.is_idle());
}

#[test]
fn each_line_in_a_row_is_written_alone() {
    let mut outbox = outbox_with(2);
    queue(&mut outbox, conn(1));
    queue(&mut outbox, conn(2));
    for fd in [1, 2] {
        let (line, with) = write(&mut outbox, usize::MAX).unwrap();
        assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line}");
        assert_eq!(with, Some(fd));
    }
}

#[test]
fn a_message_goes_between_connections_without_waiting_and_in_its_place() {
    let mut outbox = outbox_with(2);
    queue(&mut outbox, conn(1));
    queue(&mut outbox, (plain(7), None));
    queue(&mut outbox, conn(2));
    queue(&mut outbox, (plain(8), None));
    assert_eq!(write(&mut outbox, usize::MAX).unwrap().1, Some(1));
    assert_eq!(write(&mut outbox, usize::MAX), Some(("7\n".to_owned(), None)));
    assert_eq!(write(&mut outbox, usize::MAX).unwrap().1, Some(2));
    assert_eq!(write(&mut outbox, usize::MAX), Some(("8\n".to_owned(), None)));
}

#[test]
fn what_waits_for_the_window_is_overtaken_by_nothing() {
    let mut outbox = outbox_with(2);
    (1..=3).for_each(|number| queue(&mut outbox, conn(number)));
    queue(&mut outbox, (plain(7), None));
    assert_eq!(written(&mut outbox), [1, 2]);
    outbox.answered(true);
    assert_eq!(write(&mut outbox, usize::MAX).unwrap().1, Some(3));
    assert_eq!(write(&mut outbox, usize::MAX), Some(("7\n".to_owned(), None)));
}

#[test]
fn every_other_handle_waits_for_all_before_it_and_all_wait_for_it() {
    for kind in [HandleKind::NetNative, HandleKind::NetServer, HandleKind::NetSocket { key: None }]
    {
        let mut outbox = outbox_with(16);
        queue(&mut outbox, conn(1));
        queue(&mut outbox, conn(2));
        queue(&mut outbox, with_kind(kind, 3));
        queue(&mut outbox, (plain(7), None));
        queue(&mut outbox, conn(4));
        assert_eq!(written(&mut outbox), [1, 2]);
        outbox.answered(true);
        assert!(written(&mut outbox).is_empty());
        outbox.answered(true);
        assert_eq!(written(&mut outbox), [3]);
        assert_eq!(outbox.answered(true), Answered::Handle { token: 3 });
        assert_eq!(write(&mut outbox, usize::MAX), Some(("7\n".to_owned(), None)));
        assert_eq!(written(&mut outbox), [4]);
    }
}

#[test]
fn a_line_that_the_kernel_might_cut_goes_alone() {
    let length = |key| {
        let mut line = Vec::new();
        conn_with_key(1, key).0.encode(&mut line);
        line.len()
    };
    let longest = 2048 - length(0);
    for (key, together) in [(longest, vec![1, 2]), (longest + 1, vec![1])] {
        let mut outbox = outbox_with(16);
        queue(&mut outbox, conn_with_key(1, key));
        queue(&mut outbox, conn(2));
        assert_eq!(written(&mut outbox), together, "{key}");
    }
}

#[test]
fn no_more_is_under_way_than_a_reader_takes_at_once_whatever_the_window() {
    let mut outbox = outbox_with(1000);
    (0..100).for_each(|number| queue(&mut outbox, conn_with_key(number, 900)));
    let mut bytes = 0;
    while let Some((line, _)) = write(&mut outbox, usize::MAX) {
        bytes += line.len();
    }
    assert!((31 * 1024..=32 * 1024).contains(&bytes), "{bytes}");
    let long = Packet::User(UserMessage::new(&"x".repeat(1000)).unwrap());
    outbox.queue(&long, None).unwrap();
    assert_eq!(write(&mut outbox, usize::MAX), None, "nor does a message make it more");
    outbox.answered(true);
    assert_eq!(written(&mut outbox).len(), 1);
}

#[test]
fn an_answer_counts_once_its_line_is_complete() {
    let mut outbox = outbox_with(2);
    queue(&mut outbox, conn(1));
    queue(&mut outbox, conn(2));
    write(&mut outbox, usize::MAX);
    write(&mut outbox, 5);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 1 });
    assert_eq!(outbox.answered(true), Answered::Nothing, "half a line is no handle message");
    write(&mut outbox, usize::MAX);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 2 });
}

#[test]
fn what_the_peer_never_got_is_known_to_the_byte() {
    let mut outbox = outbox_with(3);
    queue(&mut outbox, conn(1));
    queue(&mut outbox, (plain(7), None));
    queue(&mut outbox, conn(2));
    queue(&mut outbox, (plain(8), None));
    queue(&mut outbox, conn(3));
    queue(&mut outbox, conn(4));
    queue(&mut outbox, (plain(9), None));
    write(&mut outbox, 1);
    assert_eq!(outbox.take_unsent(), [2, 3, 4]);
    assert_eq!(outbox.in_flight(), Some(1));
    let (rest, fd) = write(&mut outbox, usize::MAX).unwrap();
    assert!(rest.ends_with("}\n7\n8\n9\n") && fd.is_none(), "{rest}");
    assert_eq!(outbox.answered(true), Answered::Handle { token: 1 });
    assert!(outbox.is_idle());
}

#[test]
fn of_a_closed_queue_what_was_sent_is_answered_and_the_rest_taken_back() {
    let mut outbox = outbox_with(3);
    (1..=5).for_each(|number| queue(&mut outbox, conn(number)));
    write(&mut outbox, usize::MAX);
    write(&mut outbox, 5);
    outbox.close();
    assert_eq!(write(&mut outbox, usize::MAX), None);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 1 });
    assert_eq!(outbox.answered(true), Answered::Handle { token: 2 });
    assert_eq!(outbox.take_unsent(), [3, 4, 5]);
    assert!(outbox.is_idle());
}
