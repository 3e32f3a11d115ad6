//! The decoder against garbage, hostile peers and a model of how Linux reads.

use super::*;
use proptest::prelude::*;

type Lines = Vec<(Vec<u8>, Option<u32>)>;

/// Takes every complete frame; whether the stream failed is the second part.
fn drain(decoder: &mut FrameDecoder<u32>, lines: &mut Lines) -> Result<(), FrameError> {
    while let Some(frame) = decoder.next()? {
        lines.push((frame.bytes.to_vec(), frame.fd));
    }
    Ok(())
}

fn decode(limit: usize, pushes: &[(&[u8], &[u32])]) -> (Lines, Result<(), FrameError>, u64) {
    let (mut decoder, mut lines, mut result) = (FrameDecoder::new(limit), Vec::new(), Ok(()));
    for (bytes, fds) in pushes {
        decoder.push(bytes, fds.iter().copied());
        result = drain(&mut decoder, &mut lines);
    }
    (lines, result, decoder.surplus())
}

fn fds_of(pushes: &[(&[u8], &[u32])]) -> (Vec<Option<u32>>, u64) {
    let (lines, result, surplus) = decode(100, pushes);
    assert_eq!(result, Ok(()));
    (lines.into_iter().map(|(_, fd)| fd).collect(), surplus)
}

#[test]
fn a_descriptor_belongs_to_the_last_line_begun_in_its_read() {
    assert_eq!(fds_of(&[(b"a\nb\n", &[7])]), (vec![None, Some(7)], 0));
    assert_eq!(fds_of(&[(b"a\nb", &[7]), (b"\nc\n", &[])]), (vec![None, Some(7), None], 0));
    assert_eq!(fds_of(&[(b"a", &[]), (b"\nb\n", &[7])]), (vec![None, Some(7)], 0));
    assert_eq!(fds_of(&[(b"a\nb\nc\n", &[7, 8])]), (vec![None, Some(7), Some(8)], 0));
    assert_eq!(fds_of(&[(b"\n\n", &[7])]), (vec![None, Some(7)], 0));
}

#[test]
fn a_surplus_descriptor_is_counted_and_shifts_no_later_pair() {
    assert_eq!(fds_of(&[(b"a\n", &[7, 8, 9]), (b"b\n", &[10])]), (vec![Some(7), Some(10)], 2));
    assert_eq!(fds_of(&[(b"a", &[]), (b"a\n", &[7]), (b"b\n", &[8])]), (vec![None, Some(8)], 1));
}

#[test]
fn at_the_end_an_unfinished_frame_and_its_descriptor_are_dropped_and_finished_ones_stay() {
    let mut decoder = FrameDecoder::new(100);
    decoder.push(b"a\nb", [7]);
    decoder.push(b"\nc", [8]);
    assert!(decoder.finish());
    let mut lines = Vec::new();
    drain(&mut decoder, &mut lines).unwrap();
    assert_eq!(lines, [(b"a".to_vec(), None), (b"b".to_vec(), Some(7))]);
    assert!(decoder.descriptors.is_empty());
    assert!(!decoder.finish());
}

#[test]
fn a_frame_may_have_the_limit_and_not_a_byte_more() {
    let too_long = Err(FrameError::TooLong { limit: 3 });
    assert_eq!(decode(3, &[(b"abc\n", &[])]).1, Ok(()));
    assert_eq!(decode(3, &[(b"abc", &[])]).1, Ok(()));
    assert_eq!(decode(3, &[(b"abcd", &[])]).1, too_long);
    let (lines, result, surplus) = decode(3, &[(b"a\nabcd\n", &[7]), (b"b\n", &[8])]);
    assert_eq!(lines, [(b"a".to_vec(), None)]);
    assert_eq!(result, too_long);
    assert_eq!(surplus, 1, "after the failure every descriptor is dropped");
}

#[test]
fn a_flood_without_newline_takes_no_more_memory_than_the_limit_and_one_push() {
    let (limit, chunk) = (100_000, [b'x'; 4096]);
    let mut decoder = FrameDecoder::<u32>::new(limit);
    while decoder.next().is_ok() {
        decoder.push(&chunk, []);
        assert!(decoder.buffer.capacity() <= limit + chunk.len());
    }
    assert_eq!(decoder.buffer.capacity(), 0);
}

#[test]
fn a_long_frame_in_single_bytes_is_walked_once() {
    let mut decoder = FrameDecoder::<u32>::new(FRAME_BYTES);
    for _ in 0..1_000_000 {
        decoder.push(b"x", []);
        assert!(decoder.next().unwrap().is_none());
        assert_eq!(decoder.scanned, decoder.buffer.len());
    }
    decoder.push(b"\n", []);
    assert_eq!(decoder.next().unwrap().unwrap().bytes.len(), 1_000_000);
    decoder.push(b"y", []);
    assert!(decoder.buffer.capacity() <= KEPT_BYTES, "the memory of a long frame is given back");
}

/// The kernel's side of a stream socket: one segment for each `sendmsg`, its descriptor in front.
struct Kernel {
    segments: VecDeque<(VecDeque<u8>, Option<u32>)>,
}

impl Kernel {
    /// Linux ends a read where the room ends or behind a segment that brought a descriptor.
    fn recvmsg(&mut self, room: usize) -> Option<(Vec<u8>, Option<u32>)> {
        let (mut bytes, mut fd) = (Vec::new(), None);
        while bytes.len() < room && fd.is_none() {
            let Some((segment, descriptor)) = self.segments.front_mut() else {
                break;
            };
            fd = descriptor.take();
            let count = segment.len().min(room - bytes.len());
            bytes.extend(segment.drain(..count));
            if segment.is_empty() {
                self.segments.pop_front();
            }
        }
        (!bytes.is_empty()).then_some((bytes, fd))
    }
}

proptest! {
    #[test]
    fn each_line_gets_its_own_descriptor_however_the_stream_is_read(
        lines in prop::collection::vec(("[a-z]{0,12}", any::<bool>()), 0..20),
        rooms in prop::collection::vec(1..20usize, 1..10),
    ) {
        let sent: Lines = (0..).zip(&lines)
            .map(|(fd, (line, with_fd))| (line.clone().into_bytes(), with_fd.then_some(fd)))
            .collect();
        let segments = sent.iter().map(|(line, fd)| {
            (line.iter().copied().chain([b'\n']).collect(), *fd)
        }).collect();
        let (mut kernel, mut rooms) = (Kernel { segments }, rooms.into_iter().cycle());
        let (mut decoder, mut received) = (FrameDecoder::new(12), Vec::new());
        while let Some((bytes, fd)) = kernel.recvmsg(rooms.next().unwrap()) {
            decoder.push(&bytes, fd);
            drain(&mut decoder, &mut received).unwrap();
        }
        prop_assert_eq!(received, sent);
        prop_assert_eq!(decoder.surplus(), 0);
    }

    #[test]
    fn the_chunking_of_garbage_changes_nothing(
        bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
        sizes in prop::collection::vec(1..30usize, 1..10),
    ) {
        let whole = decode(20, &[(&bytes, &[])]);
        let (mut rest, mut sizes, mut pushes) = (&bytes[..], sizes.iter().cycle(), Vec::new());
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            pushes.push((chunk, &[][..]));
            rest = tail;
        }
        prop_assert_eq!(decode(20, &pushes), whole);
    }

    #[test]
    fn every_descriptor_of_a_hostile_peer_is_given_out_or_counted(
        pushes in prop::collection::vec(("[ab\n]{0,9}", 0..4usize), 0..20),
    ) {
        let (mut decoder, mut lines, mut sent) = (FrameDecoder::new(1000), Vec::new(), 0);
        for (bytes, count) in pushes {
            decoder.push(bytes.as_bytes(), vec![0; count]);
            drain(&mut decoder, &mut lines).unwrap();
            sent += count;
        }
        decoder.push(b"\n", []);
        drain(&mut decoder, &mut lines).unwrap();
        let given = lines.iter().filter(|(_, fd)| fd.is_some()).count();
        prop_assert_eq!(given as u64 + decoder.surplus(), sent as u64);
    }
}
