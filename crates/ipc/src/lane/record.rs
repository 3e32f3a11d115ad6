//! The records of the lane, byte by byte. Pure.

use crate::error::LaneOffence;

/// The version of this layout, and the value of `lane` in a worker's `online` message.
pub const LANE_VERSION: u8 = 1;

/// The version of the question whether a worker's runtime turns, and the value of `beat` in the `online` message of a
/// worker that answers it.
pub const BEAT_VERSION: u32 = 1;

/// Most entries in one record, of whatever kind. Beyond this a descriptor costs no less.
pub const LANE_BATCH: usize = 64;

/// A connection offered to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnRecord {
    /// The primary's number for the connection, returned with the answer.
    pub seq: u64,
    /// The number of the listener that it came in on.
    pub listener: u32,
}

/// A worker's answer to one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The primary's number for the connection.
    pub seq: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// What a worker says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The worker has it. The primary closes its copy.
    Accepted,
    /// The worker does not want it and has touched nothing.
    Refused,
    /// Its descriptor never arrived: the worker has too many open.
    Lost,
    /// As [`Accepted`](Self::Accepted), and the worker will say when it has [`Ended`].
    Kept,
}

/// A worker's word that a connection has ended which it answered with [`Verdict::Kept`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The primary's number for the connection.
    pub seq: u64,
}

/// The primary's question whether a worker's runtime turns, and the worker's answer: the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// The primary's number for the question.
    pub number: u64,
}

/// An entry of a record: a fixed number of bytes, and the kind of record that it makes.
pub trait Entry: Sized {
    /// Its kind, as the [module](super) lists them.
    const KIND: u8;
    /// Its bytes.
    const BYTES: usize;
    /// Writes it into so many bytes.
    fn write(&self, bytes: &mut [u8]);
    /// Reads it from so many bytes.
    ///
    /// # Errors
    /// They are no such entry.
    fn read(bytes: &[u8]) -> Result<Self, LaneOffence>;
}

const HEADER_BYTES: usize = 4;
const CONN_BYTES: usize = 12;
const ANSWER_BYTES: usize = 9;
const ENDED_BYTES: usize = 8;
const BEAT_BYTES: usize = 8;

/// The longest record of any kind, in bytes.
const RECORD_BYTES: usize = HEADER_BYTES + LANE_BATCH * CONN_BYTES;

/// Room for one record.
pub type RecordBuffer = [u8; RECORD_BYTES];

/// An empty buffer.
#[must_use]
pub const fn buffer() -> RecordBuffer {
    [0; RECORD_BYTES]
}

/// Writes a record of `entries`, of which there are between 1 and [`LANE_BATCH`], and returns its bytes.
///
/// # Panics
/// There is none, or there are more: the caller checks the batch.
pub fn encode<'a, E: Entry>(entries: &[E], buffer: &'a mut RecordBuffer) -> &'a [u8] {
    assert!((1..=LANE_BATCH).contains(&entries.len()), "the caller checks the batch");
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    let length = HEADER_BYTES + entries.len() * E::BYTES;
    buffer[0] = LANE_VERSION;
    buffer[1] = E::KIND;
    buffer[2..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    for (bytes, entry) in buffer[HEADER_BYTES..].chunks_exact_mut(E::BYTES).zip(entries) {
        entry.write(bytes);
    }
    &buffer[..length]
}

/// The kind that a record says it is of, if it is long enough to say one.
pub(super) fn kind(record: &[u8]) -> Option<u8> {
    record.get(1).copied()
}

/// Reads a record and appends its entries to `out`; appends nothing if any of it is wrong.
///
/// # Errors
/// The record breaks the layout, or is of another kind.
pub fn decode<E: Entry>(record: &[u8], out: &mut Vec<E>) -> Result<(), LaneOffence> {
    let &[version, kind, low, high, ref entries @ ..] = record else {
        return Err(LaneOffence::Length);
    };
    if version != LANE_VERSION {
        return Err(LaneOffence::Version(version));
    }
    if kind != E::KIND {
        return Err(LaneOffence::Kind(kind));
    }
    let count = u16::from_le_bytes([low, high]);
    if !(1..=LANE_BATCH).contains(&usize::from(count)) {
        return Err(LaneOffence::Count(count));
    }
    if entries.len() != usize::from(count) * E::BYTES {
        return Err(LaneOffence::Length);
    }
    let before = out.len();
    for bytes in entries.chunks_exact(E::BYTES) {
        match E::read(bytes) {
            Ok(entry) => out.push(entry),
            Err(offence) => {
                out.truncate(before);
                return Err(offence);
            }
        }
    }
    Ok(())
}

impl Entry for ConnRecord {
    const KIND: u8 = 1;
    const BYTES: usize = CONN_BYTES;

    fn write(&self, bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8..].copy_from_slice(&self.listener.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, LaneOffence> {
        let (seq, rest) = split_seq(bytes)?;
        let listener = u32::from_le_bytes(rest.try_into().map_err(|_| LaneOffence::Length)?);
        Ok(Self { seq, listener })
    }
}

impl Entry for Answer {
    const KIND: u8 = 2;
    const BYTES: usize = ANSWER_BYTES;

    fn write(&self, bytes: &mut [u8]) {
        bytes[..8].copy_from_slice(&self.seq.to_le_bytes());
        bytes[8] = match self.verdict {
            Verdict::Accepted => 0,
            Verdict::Refused => 1,
            Verdict::Lost => 2,
            Verdict::Kept => 3,
        };
    }

    fn read(bytes: &[u8]) -> Result<Self, LaneOffence> {
        let (seq, rest) = split_seq(bytes)?;
        let verdict = match rest {
            [0] => Verdict::Accepted,
            [1] => Verdict::Refused,
            [2] => Verdict::Lost,
            [3] => Verdict::Kept,
            [other] => return Err(LaneOffence::Verdict(*other)),
            _ => return Err(LaneOffence::Length),
        };
        Ok(Self { seq, verdict })
    }
}

impl Entry for Ended {
    const KIND: u8 = 3;
    const BYTES: usize = ENDED_BYTES;

    fn write(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.seq.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, LaneOffence> {
        let (seq, _) = split_seq(bytes)?;
        Ok(Self { seq })
    }
}

impl Entry for Beat {
    const KIND: u8 = 4;
    const BYTES: usize = BEAT_BYTES;

    fn write(&self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.number.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Result<Self, LaneOffence> {
        let (number, _) = split_seq(bytes)?;
        Ok(Self { number })
    }
}

fn split_seq(bytes: &[u8]) -> Result<(u64, &[u8]), LaneOffence> {
    let (seq, rest) = bytes.split_first_chunk().ok_or(LaneOffence::Length)?;
    Ok((u64::from_le_bytes(*seq), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_the_documented_one() {
        let mut room = buffer();
        let conns = [ConnRecord { seq: 0x0102_0304_0506_0708, listener: 0x0a0b_0c0d }];
        let expected = [1, 1, 1, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0x0d, 0x0c, 0x0b, 0x0a];
        assert_eq!(encode(&conns, &mut room), expected);
        let answers = [
            Answer { seq: 7, verdict: Verdict::Accepted },
            Answer { seq: 8, verdict: Verdict::Lost },
            Answer { seq: 9, verdict: Verdict::Kept },
        ];
        let expected = [
            1, 2, 3, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2, 9, 0, 0, 0, 0, 0, 0,
            0, 3,
        ];
        assert_eq!(encode(&answers, &mut room), expected);
        let ended = [Ended { seq: 0x0102_0304_0506_0708 }, Ended { seq: 9 }];
        let expected = [1, 3, 2, 0, 8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(encode(&ended, &mut room), expected);
        let beat = [Beat { number: 0x0102_0304_0506_0708 }];
        assert_eq!(encode(&beat, &mut room), [1, 4, 1, 0, 8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn each_fault_is_named() {
        let fault = |record: &[u8]| decode::<Answer>(record, &mut Vec::new()).unwrap_err();
        assert_eq!(fault(&[]), LaneOffence::Length);
        assert_eq!(fault(&[1, 2, 1]), LaneOffence::Length);
        assert_eq!(fault(&[2, 2, 1, 0]), LaneOffence::Version(2));
        assert_eq!(fault(&[1, 1, 1, 0]), LaneOffence::Kind(1));
        assert_eq!(fault(&[1, 2, 0, 0]), LaneOffence::Count(0));
        assert_eq!(fault(&[1, 2, 65, 0]), LaneOffence::Count(65));
        assert_eq!(fault(&[1, 2, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0]), LaneOffence::Length);
        assert_eq!(fault(&[1, 2, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 4]), LaneOffence::Verdict(4));
        let fault = |record: &[u8]| decode::<Ended>(record, &mut Vec::new()).unwrap_err();
        assert_eq!(fault(&[1, 3, 1, 0, 7, 0, 0, 0, 0, 0, 0]), LaneOffence::Length);
        assert_eq!(fault(&[1, 3, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]), LaneOffence::Length);
        assert_eq!(fault(&[1, 3, 0, 0]), LaneOffence::Count(0));
        assert_eq!(fault(&[1, 2, 1, 0]), LaneOffence::Kind(2));
    }

    #[test]
    fn a_record_with_one_bad_entry_gives_no_entry() {
        let mut out = vec![Answer { seq: 1, verdict: Verdict::Refused }];
        let mut record = vec![1, 2, 2, 0];
        record.extend([9, 0, 0, 0, 0, 0, 0, 0, 0]);
        record.extend([9, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert!(decode(&record, &mut out).is_err());
        assert_eq!(out.len(), 1);
    }

    fn comes_back<E: Entry + Clone + std::fmt::Debug + PartialEq>(
        entries: &[E],
    ) -> Result<(), TestCaseError> {
        let (mut room, mut out) = (buffer(), Vec::<E>::new());
        let record = encode(entries, &mut room);
        prop_assert_eq!(kind(record), Some(E::KIND));
        decode(record, &mut out).unwrap();
        prop_assert_eq!(out, entries);
        Ok(())
    }

    fn verdict() -> impl Strategy<Value = Verdict> {
        use Verdict::{Accepted, Kept, Lost, Refused};
        prop::sample::select(vec![Accepted, Refused, Lost, Kept])
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            pairs in prop::collection::vec(any::<(u64, u32)>(), 1..=LANE_BATCH),
            answers in prop::collection::vec((any::<u64>(), verdict()), 1..=LANE_BATCH),
        ) {
            let conns = pairs.iter().map(|(seq, listener)| ConnRecord { seq: *seq, listener: *listener });
            comes_back(&conns.collect::<Vec<_>>())?;
            let ended = pairs.iter().map(|(seq, _)| Ended { seq: *seq });
            comes_back(&ended.collect::<Vec<_>>())?;
            let beats = pairs.iter().map(|(number, _)| Beat { number: *number });
            comes_back(&beats.collect::<Vec<_>>())?;
            let answers = answers.into_iter().map(|(seq, verdict)| Answer { seq, verdict });
            comes_back(&answers.collect::<Vec<_>>())?;
        }

        #[test]
        fn no_bytes_panic(record in prop::collection::vec(any::<u8>(), 0..800)) {
            let _ = decode::<ConnRecord>(&record, &mut Vec::new());
            let _ = decode::<Answer>(&record, &mut Vec::new());
            let _ = decode::<Ended>(&record, &mut Vec::new());
            let _ = decode::<Beat>(&record, &mut Vec::new());
        }
    }
}
