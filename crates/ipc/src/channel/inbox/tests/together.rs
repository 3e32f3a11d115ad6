//! User messages that are taken together, against the same read one by one.

use super::*;
use proptest::prelude::*;

/// A line, and how many descriptors come with it.
type Sent = (String, usize);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let line = prop_oneof![
        8 => (0..100_u32).prop_map(|number| (format!("{number}\n"), 0)),
        2 => Just(("{\"a\":\"\\n\"}\n".to_owned(), 0)),
        1 => (0..3_usize).prop_map(|fds| ("5\n".to_owned(), fds)),
        1 => (0..2_usize).prop_map(|fds| (wrapped("net.Socket", "6"), fds)),
        1 => Just((format!("{CLUSTER}\n"), 0)),
        1 => Just(("{\"cmd\":\"NODE_HANDLE_ACK\"}\n".to_owned(), 0)),
        1 => Just(("no JSON\n".to_owned(), 0)),
        1 => Just((format!("\"{}\"\n", "x".repeat(1000)), 0)),
    ];
    prop::collection::vec(line, 0..12)
}

/// What is told, without the numbers of descriptors.
fn told(incoming: Incoming) -> String {
    match incoming {
        Incoming::User { message, handle } => format!("{} {}", message.as_str(), handle.is_some()),
        Incoming::Cluster { message, handle } => format!("{message:?} {}", handle.is_some()),
        other => format!("{other:?}"),
    }
}

fn push(pair: &mut Pair, (bytes, fds): &Sent) {
    let fds = (0..*fds).map(|_| File::open("/dev/null").unwrap().into()).collect();
    let received = Received { n: bytes.len(), fds, truncated: false, cut: false };
    pair.inbox.push(bytes.as_bytes(), received);
}

/// Everything that is there, `most` user messages taken together where that is not 0.
fn heard(pair: &mut Pair, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let mut users = Vec::new();
        let count = pair.inbox.take_users(&mut users, most, &mut pair.outbox);
        assert!(count <= most && count == users.len());
        all.extend(users.into_iter().map(|message| told(Incoming::User { message, handle: None })));
        match pair.inbox.next(&mut pair.outbox) {
            Ok(Some(incoming)) => all.push(told(incoming)),
            Ok(None) => return all,
            Err(error) => {
                all.push(error.to_string());
                return all;
            }
        }
    }
}

proptest! {
    #[test]
    fn what_is_told_and_answered_is_the_same_and_in_the_same_order(
        sent in sent(), reads in 1..5_usize, most in 1..6_usize,
    ) {
        let (mut single, mut together) = (Pair::new(), Pair::new());
        for read in sent.chunks(reads) {
            for line in read {
                push(&mut single, line);
                push(&mut together, line);
            }
            prop_assert_eq!(heard(&mut together, most), heard(&mut single, 0));
            prop_assert_eq!(together.answers(), single.answers());
        }
    }
}
