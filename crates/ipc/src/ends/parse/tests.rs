//! Messages as a kernel sent them, and messages as none would.

use super::*;
use proptest::prelude::*;

/// A message about a socket, as this machine's kernel would write it.
fn message(length: usize, kind: u16, family: u8, cookie: u64, inode: u32) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[..4].copy_from_slice(&(length as u32).to_ne_bytes());
    bytes[TYPE..TYPE + 2].copy_from_slice(&kind.to_ne_bytes());
    bytes[SEQUENCE..SEQUENCE + 4].copy_from_slice(&7_u32.to_ne_bytes());
    bytes[FAMILY] = family;
    bytes[60..64].copy_from_slice(&(cookie as u32).to_ne_bytes());
    bytes[64..68].copy_from_slice(&((cookie >> 32) as u32).to_ne_bytes());
    bytes[84..88].copy_from_slice(&inode.to_ne_bytes());
    bytes
}

fn end(kind: u16, code: i32) -> Vec<u8> {
    let mut bytes = message(MESSAGE, kind, 0, 0, 0);
    bytes[..4].copy_from_slice(&20_u32.to_ne_bytes());
    bytes[HEADER..HEADER + 4].copy_from_slice(&code.to_ne_bytes());
    bytes.truncate(20);
    bytes
}

fn parts(datagram: &[u8]) -> Vec<Part> {
    Parts::new(datagram, 7).collect()
}

fn open(cookie: u64, held: bool) -> Part {
    Part::Socket { cookie: Cookie(cookie), held }
}

#[test]
fn an_end_has_the_cookie_with_its_lower_half_first() {
    let cookie = 0x0123_4567_89ab_cdef;
    for family in [INET, INET6] {
        let message = message(380, SOCK_DIAG_BY_FAMILY, family, cookie, 0);
        assert_eq!(ended(&message), Some(Cookie(cookie)));
        // As the reader takes it: what does not fit its buffer is not there.
        assert_eq!(ended(&message[..MESSAGE]), Some(Cookie(cookie)));
    }
}

#[test]
fn a_message_of_another_kind_family_or_length_tells_no_end() {
    assert_eq!(ended(&message(380, DONE, INET, 5, 0)), None);
    assert_eq!(ended(&message(380, SOCK_DIAG_BY_FAMILY, 1, 5, 0)), None);
    let whole = message(MESSAGE, SOCK_DIAG_BY_FAMILY, INET, 5, 0);
    for length in 0..MESSAGE {
        assert_eq!(ended(&whole[..length]), None);
    }
    let mut short = whole;
    short[..4].copy_from_slice(&(MESSAGE as u32 - 1).to_ne_bytes());
    assert_eq!(ended(&short), None);
}

#[test]
fn a_piece_is_read_message_by_message_to_its_end() {
    let mut piece = message(97, SOCK_DIAG_BY_FAMILY, INET, 5, 1);
    piece.extend([0; 3]);
    piece.extend(message(MESSAGE, SOCK_DIAG_BY_FAMILY, INET6, 6, 0));
    piece.extend(message(MESSAGE, 1, INET6, 7, 0));
    piece.extend(end(DONE, 0));
    assert_eq!(parts(&piece), [open(5, true), open(6, false), Part::Done]);
}

#[test]
fn a_failure_is_told_by_either_kind_of_end() {
    assert_eq!(parts(&end(DONE, -2)), [Part::Failed(Errno::NOENT)]);
    assert_eq!(parts(&end(ERROR, -22)), [Part::Failed(Errno::INVAL)]);
    // No errno, so no failure; and an error without one says nothing.
    assert_eq!(parts(&end(DONE, i32::MIN)), [Part::Done]);
    assert_eq!(parts(&end(ERROR, 0)), [Part::Malformed]);
}

#[test]
fn answers_to_another_question_are_passed_over() {
    let mut other = end(DONE, 0);
    other[SEQUENCE..SEQUENCE + 4].copy_from_slice(&6_u32.to_ne_bytes());
    let piece = [other, message(MESSAGE, SOCK_DIAG_BY_FAMILY, INET, 5, 1)].concat();
    assert_eq!(parts(&piece), [open(5, true)]);
}

#[test]
fn a_changed_table_is_noticed_on_whatever_message_it_is_said() {
    for at in 0..2 {
        let mut messages = [message(MESSAGE, SOCK_DIAG_BY_FAMILY, INET, 5, 1), end(DONE, 0)];
        messages[at][FLAGS..FLAGS + 2].copy_from_slice(&(INTERRUPTED | 2).to_ne_bytes());
        let piece = messages.concat();
        let mut parts = Parts::new(&piece, 7);
        assert_eq!(parts.next(), Some(open(5, true)));
        assert_eq!(parts.interrupted(), at == 0);
        assert_eq!(parts.next(), Some(Part::Done));
        assert!(parts.interrupted());
    }
}

#[test]
fn a_piece_that_is_cut_ends_in_the_words_that_it_is_malformed() {
    let piece = message(MESSAGE, SOCK_DIAG_BY_FAMILY, INET, 5, 1);
    for length in 1..MESSAGE {
        assert_eq!(parts(&piece[..length]), [Part::Malformed], "{length}");
    }
    let mut endless = piece;
    endless[..4].copy_from_slice(&0_u32.to_ne_bytes());
    assert_eq!(parts(&endless), [Part::Malformed]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = ended(&bytes);
        let found = Parts::new(&bytes, 0).count();
        prop_assert!(found <= bytes.len() / HEADER + 1);
    }

    #[test]
    fn messages_with_arbitrary_lengths_and_kinds_are_read_to_their_end(
        messages in proptest::collection::vec((0_u32..140, 0_u16..24, any::<[u8; 32]>()), 0..9),
    ) {
        let mut bytes = Vec::new();
        for (length, kind, rest) in messages {
            bytes.extend(length.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend([0; 10]);
            bytes.extend(rest.repeat(3));
        }
        let parts: Vec<_> = Parts::new(&bytes, 0).collect();
        prop_assert!(parts.len() <= bytes.len() / HEADER + 1);
        let senseless = parts.iter().position(|part| *part == Part::Malformed);
        prop_assert!(senseless.is_none_or(|at| at + 1 == parts.len()));
    }
}

/// From Linux 6.18, the addresses made zero: byte order and all.
#[cfg(target_endian = "little")]
mod captured {
    use super::*;

    /// An IPv4 connection of local port 8000 has ended; the first 88 of 380 bytes.
    const ENDED: &str = "7c01000014000000000000000000000002070000 1f40cb30 \
        00000000000000000000000000000000 00000000000000000000000000000000 00000000 \
        6725060000000000 0000000000000000000000000000000000000000";
    /// The same for IPv6.
    const ENDED_6: &str = "7c0100001400000000000000000000000a070000 1f40a824 \
        00000000000000000000000000000000 00000000000000000000000000000000 00000000 \
        6a25060000000000 0000000000000000000000000000000000000000";
    /// The IPv4 connections of a system: the first one's holder has closed it, and the message is the shorter one of
    /// what is left of such a socket; the second is its client, held.
    const PIECE: &str = "6000000014000200070000001df690e102050300 1f40cb30 \
        00000000000000000000000000000000 00000000000000000000000000000000 00000000 \
        6725060000000000 60ea000000000000000000000000000000000000 08000f0000000000 \
        7c00000014000200070000001df690e102080000 cb301f40 \
        00000000000000000000000000000000 00000000000000000000000000000000 00000000 \
        6825060000000000 00000000010000000000000000000000c6a43a00 \
        0500080001000000 08000f0000000000 0c00150001000000000000 000600160052000000";
    const DONE: &str = "1400000003000200070000001df690e100000000";
    /// Asked about SCTP, of which this kernel knew nothing.
    const NO_PROTOCOL: &str = "140000000300020007000000d18150a8feffffff";
    /// Asked about family 0; the question comes back with it.
    const NO_FAMILY: &str = "5c0000000200000007000000d18150a8feffffff \
        4800000014000103070000000000000000060000020000000000000000000000000000000000000000000000 \
        00000000000000000000000000000000000000000000000000000000";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<_> = hex.chars().filter_map(|it| it.to_digit(16)).collect();
        digits.chunks(2).map(|it| (it[0] * 16 + it[1]) as u8).collect()
    }

    #[test]
    fn the_ends_are_understood() {
        assert_eq!(bytes(ENDED).len(), MESSAGE);
        assert_eq!(ended(&bytes(ENDED)), Some(Cookie(402_791)));
        assert_eq!(ended(&bytes(ENDED_6)), Some(Cookie(402_794)));
    }

    #[test]
    fn an_answer_is_understood() {
        assert_eq!(parts(&bytes(PIECE)), [open(402_791, false), open(402_792, true)]);
        assert_eq!(parts(&bytes(DONE)), [Part::Done]);
    }

    #[test]
    fn both_ways_of_knowing_nothing_are_understood() {
        assert_eq!(parts(&bytes(NO_PROTOCOL)), [Part::Failed(Errno::NOENT)]);
        assert_eq!(bytes(NO_FAMILY).len(), 92);
        assert_eq!(parts(&bytes(NO_FAMILY)), [Part::Failed(Errno::NOENT)]);
    }
}
