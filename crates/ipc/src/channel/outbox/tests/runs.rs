//! Messages of user code that are queued together.

use super::*;

fn lines(numbers: std::ops::Range<u64>) -> UserLines {
    let mut lines = UserLines::default();
    numbers.for_each(|number| lines.push_value(&number).unwrap());
    lines
}

#[test]
fn a_run_is_counted_by_its_lines_and_written_between_what_was_queued_before_and_after() {
    let mut outbox = outbox();
    queue(&mut outbox, (plain(1), None));
    outbox.queue_lines(&lines(2..5)).unwrap();
    queue(&mut outbox, (plain(5), None));
    assert_eq!(outbox.wire.count(), 5);
    assert_eq!(write(&mut outbox, 3), Some(("1\n2".to_owned(), None)));
    assert_eq!(outbox.wire.count(), 4);
    assert_eq!(write(&mut outbox, 100), Some(("\n3\n4\n5\n".to_owned(), None)));
    assert!(outbox.is_idle());
}

#[test]
fn a_run_waits_behind_an_unanswered_handle() {
    let mut outbox = outbox();
    queue(&mut outbox, with_handle(7));
    outbox.queue_lines(&lines(1..3)).unwrap();
    assert_eq!(write(&mut outbox, 1000).unwrap().1, Some(7));
    assert_eq!(write(&mut outbox, 1000), None);
    assert_eq!(outbox.waiting_bytes(), 4);
    assert_eq!(outbox.answered(true), Answered::Handle { token: 7 });
    assert_eq!(write(&mut outbox, 1000), Some(("1\n2\n".to_owned(), None)));
    assert!(outbox.is_idle() && outbox.behind_lines == 0 && outbox.behind_bytes == 0);
}

#[test]
fn where_there_is_room_for_one_a_run_is_not_too_many_and_then_there_is_none() {
    let settings = ChannelSettings { outbox_messages: 2, ..ChannelSettings::default() };
    for first in [with_handle(7), (plain(1), None)] {
        let mut outbox: Outbox<u64> = Outbox::new(&settings);
        queue(&mut outbox, first);
        outbox.queue_lines(&lines(1..9)).unwrap();
        let refused = outbox.queue_lines(&lines(9..10));
        assert!(matches!(refused, Err(QueueError::FullOfMessages { limit: 2 })), "{refused:?}");
        assert!(!outbox.has_room());
    }
}

#[test]
fn a_run_is_refused_whole_when_it_is_too_long_or_one_of_its_lines_is() {
    let settings =
        ChannelSettings { frame_bytes: 3, outbox_bytes: 8, ..ChannelSettings::default() };
    let mut outbox: Outbox<u64> = Outbox::new(&settings);
    let too_long = outbox.queue_lines(&lines(999..1001));
    assert!(matches!(too_long, Err(QueueError::TooLong { limit: 3 })), "{too_long:?}");
    let full = outbox.queue_lines(&lines(1..6));
    assert!(matches!(full, Err(QueueError::FullOfBytes { .. })), "{full:?}");
    assert!(outbox.is_idle());
    outbox.queue_lines(&lines(1..5)).unwrap();
    outbox.close();
    assert!(matches!(outbox.queue_lines(&lines(1..2)), Err(QueueError::Closed)));
}
