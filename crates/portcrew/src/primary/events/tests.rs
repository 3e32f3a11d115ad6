//! The queue, from its first event to its end.

use super::*;
use std::sync::atomic::AtomicBool;

fn message(text: &str) -> Message {
    Message::new(text).unwrap()
}

/// The texts of messages; of anything else how it is written.
fn read(queue: &mut Queue) -> Option<String> {
    let mut cx = Context::from_waker(Waker::noop());
    match queue.poll_recv(&mut cx) {
        Poll::Ready(Some(Event::Message { message, .. })) => Some(message.json().unwrap()),
        Poll::Ready(Some(other)) => Some(format!("{other:?}")),
        Poll::Ready(None) => Some("the end".to_owned()),
        Poll::Pending => None,
    }
}

#[test]
fn messages_and_other_events_come_in_the_order_in_which_they_were_added() {
    let (mut events, mut queue) = queue();
    events.add_message(WorkerId(1), message("a"));
    assert_eq!(read(&mut queue), None, "nobody was told of it");
    events.push(Event::Online { worker: WorkerId(1) });
    events.add_message(WorkerId(1), message("b"));
    events.publish();
    assert_eq!(read(&mut queue).as_deref(), Some("a"));
    events.add_message(WorkerId(1), message("c"));
    events.publish();
    assert!(read(&mut queue).unwrap().starts_with("Online"));
    drop(events);
    let rest: Vec<_> = std::iter::from_fn(|| read(&mut queue)).take(3).collect();
    assert_eq!(rest, ["b", "c", "the end"]);
}

#[test]
fn a_user_who_does_not_read_is_told_how_many_were_dropped() {
    let (mut events, mut queue) = queue();
    for _ in 0..EVENTS_LIMIT + 2 {
        events.add_message(WorkerId(1), message(""));
    }
    events.publish();
    assert_eq!(read(&mut queue).as_deref(), Some(""));
    // One place is free: not enough to tell that something was dropped, and something else.
    events.add_message(WorkerId(1), message("also lost"));
    assert_eq!(read(&mut queue).as_deref(), Some(""));
    events.add_message(WorkerId(1), message("last"));
    events.publish();
    for _ in 2..EVENTS_LIMIT {
        assert_eq!(read(&mut queue).as_deref(), Some(""));
    }
    assert_eq!(read(&mut queue).as_deref(), Some("Lagged { dropped: 3 }"));
    assert_eq!((read(&mut queue).as_deref(), read(&mut queue)), (Some("last"), None));
}

#[test]
fn a_reader_is_woken_for_what_is_published_and_for_the_end() {
    let (mut events, mut queue) = queue();
    let woken = Arc::new(Flag::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = Context::from_waker(&waker);
    assert!(queue.poll_recv(&mut cx).is_pending());
    events.add_message(WorkerId(1), message("a"));
    assert!(!woken.0.swap(false, Ordering::Relaxed));
    events.publish();
    assert!(woken.0.swap(false, Ordering::Relaxed));
    assert!(queue.poll_recv(&mut cx).is_ready() && queue.poll_recv(&mut cx).is_pending());
    drop(events);
    assert!(woken.0.swap(false, Ordering::Relaxed));
    assert!(matches!(queue.poll_recv(&mut cx), Poll::Ready(None)));
}

#[test]
fn what_nobody_will_read_is_dropped() {
    let (mut events, queue) = queue();
    events.push(Event::Online { worker: WorkerId(1) });
    drop(queue);
    events.push(Event::Online { worker: WorkerId(1) });
    assert!(events.shared.lock().queue.is_empty() && events.fresh.is_empty());
}

#[derive(Default)]
struct Flag(AtomicBool);

impl std::task::Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}
