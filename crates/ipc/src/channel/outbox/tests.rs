//! The queue against a socket that takes as many bytes as it likes, with one handle message under way at a time.

mod in_a_row;
mod interleavings;
mod runs;

use super::*;
use crate::handle::HandleKind;
use crate::message::{Inner, UserMessage};

const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

fn plain(number: u64) -> Packet {
    Packet::User(UserMessage::new(&number).unwrap())
}

fn with_handle(number: u64) -> (Packet, Option<OutgoingHandle<u64>>) {
    with_kind(HandleKind::NetNative, number)
}

/// A connection that user code gives away.
fn with_connection(number: u64) -> (Packet, Option<OutgoingHandle<u64>>) {
    with_kind(HandleKind::NetSocket { key: None }, number)
}

fn with_kind(kind: HandleKind, number: u64) -> (Packet, Option<OutgoingHandle<u64>>) {
    let inner = Inner::User(UserMessage::new(&number).unwrap());
    let packet = Packet::Handle { kind, inner };
    (packet, Some(OutgoingHandle { fd: number, token: number }))
}

fn outbox() -> Outbox<u64> {
    Outbox::new(&ChannelSettings::default())
}

fn queue(outbox: &mut Outbox<u64>, message: (Packet, Option<OutgoingHandle<u64>>)) {
    outbox.queue(&message.0, message.1).unwrap();
}

/// Writes at most `room` bytes, as a socket would.
fn write(outbox: &mut Outbox<u64>, room: usize) -> Option<(String, Option<u64>)> {
    let chunk = outbox.front()?;
    let count = chunk.bytes.len().min(room);
    let written = (String::from_utf8(chunk.bytes[..count].to_vec()).unwrap(), chunk.fd.copied());
    outbox.advance(count);
    Some(written)
}

#[test]
fn messages_without_descriptors_share_one_write() {
    let mut outbox = outbox();
    queue(&mut outbox, (plain(1), None));
    queue(&mut outbox, (plain(2), None));
    assert_eq!(write(&mut outbox, 100), Some(("1\n2\n".to_owned(), None)));
    assert!(outbox.is_idle());
}

#[test]
fn a_descriptor_goes_with_the_first_byte_of_its_line_and_with_no_other_line() {
    let mut outbox = outbox();
    queue(&mut outbox, (plain(1), None));
    queue(&mut outbox, with_handle(7));
    assert_eq!(write(&mut outbox, 100), Some(("1\n".to_owned(), None)));
    assert_eq!(write(&mut outbox, 5), Some((r#"{"cmd"#.to_owned(), Some(7))));
    let (rest, fd) = write(&mut outbox, 1000).unwrap();
    assert!(rest.starts_with(r#"":"NODE_HANDLE","#) && rest.ends_with("\n"), "{rest}");
    assert_eq!(fd, None, "after a partial write the rest goes without the descriptor");
}

#[test]
fn answers_go_first_but_never_into_a_line_that_has_begun() {
    let mut outbox = outbox();
    queue(&mut outbox, (plain(123), None));
    queue(&mut outbox, (plain(4), None));
    queue(&mut outbox, with_handle(7));
    assert_eq!(write(&mut outbox, 2), Some(("12".to_owned(), None)));
    outbox.answer(true);
    assert_eq!(outbox.unwritten_answers(), ACK.len());
    assert_eq!(write(&mut outbox, 1000), Some(("3\n".to_owned(), None)));
    assert_eq!(write(&mut outbox, 3), Some((ACK[..3].to_owned(), None)));
    assert_eq!(write(&mut outbox, 1000), Some((ACK[3..].to_owned(), None)));
    assert_eq!(outbox.unwritten_answers(), 0);
    assert_eq!(write(&mut outbox, 1000), Some(("4\n".to_owned(), None)));
    assert_eq!(write(&mut outbox, 1), Some(("{".to_owned(), Some(7))));
    outbox.answer(true);
    let (rest, _) = write(&mut outbox, 1000).unwrap();
    assert!(!rest.contains("ACK"), "{rest}");
    assert_eq!(write(&mut outbox, 1000), Some((ACK.to_owned(), None)));
}

#[test]
fn all_but_answers_waits_behind_an_unanswered_handle() {
    let mut outbox = outbox();
    queue(&mut outbox, with_handle(7));
    queue(&mut outbox, (plain(1), None));
    queue(&mut outbox, with_handle(8));
    queue(&mut outbox, (plain(2), None));
    assert_eq!(write(&mut outbox, 1000).unwrap().1, Some(7));
    assert_eq!(write(&mut outbox, 1000), None);
    outbox.answer(false);
    assert_eq!(write(&mut outbox, 1000).unwrap().0, "{\"cmd\":\"NODE_HANDLE_NACK\"}\n");
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(write(&mut outbox, 1000), Some(("1\n".to_owned(), None)));
    assert_eq!(write(&mut outbox, 1000).unwrap().1, Some(8));
    assert_eq!(write(&mut outbox, 1000), None);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 8 });
    assert_eq!(write(&mut outbox, 1000), Some(("2\n".to_owned(), None)));
    assert!(outbox.is_idle());
}

#[test]
fn an_answer_to_nothing_is_none() {
    let mut outbox = outbox();
    assert_eq!(outbox.answered(true), Answered::Nothing);
    queue(&mut outbox, with_handle(7));
    assert_eq!(outbox.answered(true), Answered::Nothing, "not a byte of it was written");
    write(&mut outbox, 5);
    assert_eq!(outbox.answered(true), Answered::Nothing, "its line is not complete");
    write(&mut outbox, 1000);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(outbox.answered(true), Answered::Nothing, "it was answered once");
}

#[test]
fn each_limit_refuses_and_leaves_the_queue_as_it_was() {
    let settings = ChannelSettings {
        frame_bytes: 40,
        outbox_bytes: 45,
        outbox_messages: 3,
        ..ChannelSettings::default()
    };
    let mut outbox: Outbox<u64> = Outbox::new(&settings);
    let long = |length: usize| Packet::User(UserMessage::new(&"x".repeat(length)).unwrap());
    assert_eq!(outbox.queue(&long(39), None), Err(QueueError::TooLong { limit: 40 }));
    outbox.queue(&long(38), None).unwrap();
    assert_eq!(outbox.queue(&long(9), None), Err(QueueError::FullOfBytes { limit: 45 }));
    outbox.queue(&plain(1), None).unwrap();
    outbox.queue(&plain(2), None).unwrap();
    assert_eq!(outbox.queue(&plain(3), None), Err(QueueError::FullOfMessages { limit: 3 }));
    let (packet, _) = with_handle(7);
    assert_eq!(outbox.queue(&packet, None), Err(QueueError::HandleMismatch));
    let (written, _) = write(&mut outbox, 1000).unwrap();
    assert!(written.ends_with("x\"\n1\n2\n"), "{written}");
    outbox.queue(&plain(3), None).unwrap();
}

#[test]
fn what_the_peer_never_got_is_taken_back_and_what_it_may_have_got_is_not() {
    let mut outbox = outbox();
    queue(&mut outbox, with_handle(7));
    queue(&mut outbox, with_handle(8));
    queue(&mut outbox, (plain(1), None));
    queue(&mut outbox, with_handle(9));
    write(&mut outbox, 1);
    assert_eq!(outbox.in_flight(), Some(7));
    assert_eq!(outbox.take_unsent(), [8, 9]);
    assert_eq!(outbox.in_flight(), Some(7));
    write(&mut outbox, 1000);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(write(&mut outbox, 1000), Some(("1\n".to_owned(), None)));
}

#[test]
fn a_handle_taken_back_leaves_its_neighbours_on_the_wire() {
    let mut outbox = outbox();
    queue(&mut outbox, (plain(1), None));
    queue(&mut outbox, with_handle(7));
    queue(&mut outbox, (plain(2), None));
    assert_eq!(outbox.take_unsent(), [7]);
    assert_eq!(write(&mut outbox, 1000), Some(("1\n2\n".to_owned(), None)));
}

#[test]
fn a_connection_that_did_not_arrive_goes_again_before_what_waits_behind_it() {
    let mut outbox = outbox();
    queue(&mut outbox, with_connection(7));
    queue(&mut outbox, (plain(1), None));
    let first = write(&mut outbox, 1000).unwrap();
    assert_eq!(outbox.answered(false), Answered::Again);
    assert!(!outbox.is_idle());
    assert_eq!(write(&mut outbox, 3), Some((first.0[..3].to_owned(), Some(7))));
    assert_eq!(write(&mut outbox, 1000), Some((first.0[3..].to_owned(), None)));
    assert_eq!(write(&mut outbox, 1000), None);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(write(&mut outbox, 1000), Some(("1\n".to_owned(), None)));
}

#[test]
fn a_connection_that_waited_behind_another_handle_goes_again_as_well() {
    let mut outbox = outbox();
    queue(&mut outbox, with_handle(7));
    queue(&mut outbox, with_connection(8));
    write(&mut outbox, 1000);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    let first = write(&mut outbox, 1000);
    assert_eq!(outbox.answered(false), Answered::Again);
    assert_eq!(write(&mut outbox, 1000), first);
}

#[test]
fn a_connection_is_given_up_after_as_many_tries_as_the_settings_say() {
    for retries in 0..5 {
        let settings = ChannelSettings { handle_retries: retries, ..ChannelSettings::default() };
        let mut outbox = Outbox::new(&settings);
        queue(&mut outbox, with_connection(7));
        queue(&mut outbox, (plain(1), None));
        for _ in 0..retries {
            assert_eq!(write(&mut outbox, 1000).unwrap().1, Some(7));
            assert_eq!(outbox.answered(false), Answered::Again);
        }
        assert_eq!(write(&mut outbox, 1000).unwrap().1, Some(7));
        assert_eq!(outbox.answered(false), Answered::Handle { token: 7 });
        assert_eq!(write(&mut outbox, 1000), Some(("1\n".to_owned(), None)));
    }
}

#[test]
fn what_is_shared_is_never_sent_again() {
    for kind in [HandleKind::NetServer, HandleKind::NetNative, HandleKind::DgramNative] {
        let mut outbox = outbox();
        queue(&mut outbox, with_kind(kind, 7));
        write(&mut outbox, 1000);
        assert_eq!(outbox.answered(false), Answered::Handle { token: 7 });
        assert!(outbox.is_idle());
    }
}

#[test]
fn of_a_peer_that_answers_every_copy_so_many_answers_are_forgiven() {
    let mut outbox = outbox();
    queue(&mut outbox, with_connection(7));
    write(&mut outbox, 1000);
    assert_eq!(outbox.answered(false), Answered::Again);
    write(&mut outbox, 1000);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(outbox.answered(true), Answered::Surplus);
    assert_eq!(outbox.answered(true), Answered::Nothing);
}

#[test]
fn where_there_is_room_the_longest_message_is_taken() {
    let settings = ChannelSettings {
        frame_bytes: 40,
        outbox_bytes: 45,
        outbox_messages: 3,
        ..ChannelSettings::default()
    };
    let longest = Packet::User(UserMessage::new(&"x".repeat(38)).unwrap());
    for short in 0..5 {
        let mut outbox: Outbox<u64> = Outbox::new(&settings);
        (0..short).for_each(|_| outbox.queue(&plain(1), None).unwrap_or_default());
        assert_eq!(outbox.has_room(), outbox.queue(&longest, None).is_ok(), "{short}");
    }
    let mut outbox: Outbox<u64> = Outbox::new(&settings);
    outbox.close();
    assert!(!outbox.has_room());
}

#[test]
fn a_line_that_is_kept_to_be_sent_again_counts_as_waiting() {
    let settings = ChannelSettings { outbox_bytes: 200, ..ChannelSettings::default() };
    let mut outbox = Outbox::new(&settings);
    queue(&mut outbox, with_connection(7));
    let length = outbox.waiting_bytes();
    write(&mut outbox, 1000);
    assert_eq!(outbox.waiting_bytes(), length);
    let long = Packet::User(UserMessage::new(&"x".repeat(200 - length)).unwrap());
    assert_eq!(outbox.queue(&long, None), Err(QueueError::FullOfBytes { limit: 200 }));
    outbox.answered(true);
    outbox.queue(&long, None).unwrap();
}

#[test]
fn a_closed_queue_sends_nothing_again() {
    let mut outbox = outbox();
    queue(&mut outbox, with_connection(7));
    write(&mut outbox, 1000);
    outbox.close();
    assert_eq!(outbox.answered(false), Answered::Handle { token: 7 });
    assert_eq!(write(&mut outbox, 1000), None);
}
