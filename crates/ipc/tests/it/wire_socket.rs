//! The system calls: what they promise about descriptors, and what they refuse.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};

use portcrew_ipc::socket::{self, MESSAGE_DESCRIPTORS};
use rustix::fs::OFlags;
use rustix::io::FdFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::common::DEADLINE;
use crate::common::wire::{descriptor, identity};

fn is_close_on_exec(fd: &OwnedFd) -> bool {
    rustix::io::fcntl_getfd(fd).unwrap().contains(FdFlags::CLOEXEC)
}

#[test]
fn a_received_descriptor_is_close_on_exec() {
    let (reader, writer) = socket::pair_stream().unwrap();
    let fd = descriptor();
    rustix::io::fcntl_setfd(&fd, FdFlags::empty()).unwrap();
    socket::send(&writer, b"x", &[fd.as_fd()]).unwrap();
    let received = socket::recv(&reader, &mut [0; 10]).unwrap();
    assert!(is_close_on_exec(&received.fds[0]));
}

#[test]
fn both_ends_of_a_pair_are_close_on_exec_and_never_block() {
    for (left, right) in [socket::pair_stream().unwrap(), socket::pair_seqpacket().unwrap()] {
        for end in [left, right] {
            assert!(is_close_on_exec(&end));
            assert!(rustix::fs::fcntl_getfl(&end).unwrap().contains(OFlags::NONBLOCK));
        }
    }
}

#[test]
fn one_message_carries_as_many_descriptors_as_the_kernel_allows_and_not_one_more() {
    let (reader, writer) = socket::pair_stream().unwrap();
    let fd = descriptor();
    let error = socket::send(&writer, b"x", &[fd.as_fd(); MESSAGE_DESCRIPTORS + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    socket::send(&writer, b"x", &[fd.as_fd(); MESSAGE_DESCRIPTORS]).unwrap();
    let received = socket::recv(&reader, &mut [0; 10]).unwrap();
    assert_eq!((received.fds.len(), received.truncated), (MESSAGE_DESCRIPTORS, false));
}

#[test]
fn descriptors_that_a_peer_spreads_over_several_control_messages_arrive_in_their_order() {
    let (reader, writer) = socket::pair_stream().unwrap();
    let fds: Vec<_> = (0..5).map(|_| descriptor()).collect();
    let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    let mut space =
        [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2), ScmRights(3))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds[..2])));
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds[2..])));
    let bytes = [std::io::IoSlice::new(b"x")];
    sendmsg(&writer, &bytes, &mut control, SendFlags::empty()).unwrap();
    let received = socket::recv(&reader, &mut [0; 10]).unwrap();
    assert!(received.fds.iter().all(is_close_on_exec) && !received.truncated);
    let identities: Vec<_> = received.fds.iter().map(identity).collect();
    assert_eq!(identities, fds.iter().map(identity).collect::<Vec<_>>());
}

#[test]
fn a_descriptor_needs_a_byte_to_travel_with() {
    let (_reader, writer) = socket::pair_stream().unwrap();
    let error = socket::send(&writer, b"", &[descriptor().as_fd()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn nothing_to_read_and_no_room_to_write_do_not_block_even_on_a_blocking_socket() {
    let (reader, writer) = socket::pair_stream().unwrap();
    for end in [&reader, &writer] {
        rustix::io::ioctl_fionbio(end, false).unwrap();
    }
    // In a thread of its own, so that blocking is a failure and no hang.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let empty = socket::recv(&reader, &mut [0; 10]).map(drop);
        let full = (0..100_000).find_map(|_| socket::send(&writer, &[0; 4096], &[]).err());
        tell.send((empty.unwrap_err().kind(), full.unwrap().kind()))
    });
    let kinds = told.recv_timeout(DEADLINE).expect("a call blocked");
    assert_eq!(kinds, (ErrorKind::WouldBlock, ErrorKind::WouldBlock));
}

#[test]
fn a_record_that_does_not_fit_is_reported_as_cut() {
    let (reader, writer) = socket::pair_seqpacket().unwrap();
    socket::send(&writer, &[7; 20], &[]).unwrap();
    let received = socket::recv(&reader, &mut [0; 10]).unwrap();
    assert!(received.cut && received.n == 10);
}
