//! On real sockets, each line gets the descriptor that was sent with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::os::fd::OwnedFd;

use portcrew_ipc::channel::Incoming;
use portcrew_ipc::frame::FrameDecoder;
use portcrew_ipc::socket;
use proptest::prelude::*;

use crate::common::wire::{channel, descriptor, identity, next, send};

/// Every line that waits at `socket`, read `room` bytes at a time, and what came with it.
fn lines(socket: &OwnedFd, mut rooms: impl Iterator<Item = usize>) -> Vec<(String, Option<u64>)> {
    let (mut decoder, mut lines) = (FrameDecoder::new(1 << 20), Vec::new());
    let mut buffer = vec![0; 1 << 20];
    while let Ok(received) = socket::recv(socket, &mut buffer[..rooms.next().unwrap()]) {
        decoder.push(&buffer[..received.n], received.fds);
        while let Some(frame) = decoder.next().unwrap() {
            let text = String::from_utf8(frame.bytes.to_vec()).unwrap();
            lines.push((text, frame.fd.map(identity)));
        }
    }
    assert_eq!(decoder.surplus(), 0);
    lines
}

#[test]
fn plain_lines_read_together_with_a_descriptor_do_not_get_it() {
    let (reader, writer) = socket::pair_stream().unwrap();
    let (b, d) = (descriptor(), descriptor());
    send(&writer, "A\n", None);
    send(&writer, "B\n", Some(&b));
    send(&writer, "C\n", None);
    send(&writer, "D\n", Some(&d));

    let mut buffer = [0; 100];
    let first = socket::recv(&reader, &mut buffer).unwrap();
    assert_eq!((&buffer[..first.n], first.fds.len()), (&b"A\nB\n"[..], 1), "as Linux reads");
    send(&writer, "B\n", Some(&b));
    let mut expected = vec![("C".to_owned(), None), ("D".to_owned(), Some(identity(&d)))];
    expected.push(("B".to_owned(), Some(identity(&b))));
    assert_eq!(lines(&reader, std::iter::repeat(100)), expected);
}

#[tokio::test]
async fn a_handle_message_that_a_full_buffer_cuts_keeps_its_descriptor() {
    let (mut channel, peer) = channel();
    let filler = format!("\"{}\"\n", "x".repeat(32 * 1024 - 20));
    let handle = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":1}\n";
    let fds = [descriptor(), descriptor()];
    send(&peer, &filler, None);
    for fd in &fds {
        send(&peer, handle, Some(fd));
    }
    assert!(matches!(next(&mut channel).await, Incoming::User { handle: None, .. }));
    for fd in &fds {
        let Incoming::User { handle: Some(handle), .. } = next(&mut channel).await else {
            panic!("a handle message")
        };
        assert_eq!(identity(handle.fd), identity(fd));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn each_line_gets_its_own_descriptor_whatever_the_reads(
        sent in prop::collection::vec(("[a-z]{0,30}", any::<bool>()), 0..40),
        rooms in prop::collection::vec(1..60usize, 1..8),
    ) {
        let (reader, writer) = socket::pair_stream().unwrap();
        let mut expected = Vec::new();
        for (line, with_descriptor) in sent {
            let fd = with_descriptor.then(descriptor);
            send(&writer, &format!("{line}\n"), fd.as_ref());
            expected.push((line, fd.map(identity)));
        }
        prop_assert_eq!(lines(&reader, rooms.into_iter().cycle()), expected);
    }
}
