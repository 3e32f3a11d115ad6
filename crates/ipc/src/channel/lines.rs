//! Lines that are being written: bytes on one side, a count of lines on the other. Pure.

use crate::message::{Dialect, Packet};

/// Memory kept while nothing waits, in bytes.
const KEPT_BYTES: usize = 64 * 1024;

/// Lines in the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// `bytes[..written]` is written already.
    bytes: Vec<u8>,
    written: usize,
    /// The place of the next byte to write, counted from the first that there ever was.
    position: u64,
    /// Lines whose end is not written.
    count: usize,
    /// Whether the last byte written was not the end of a line.
    inside: bool,
}

impl Lines {
    /// Appends the line of `packet` and returns its length in bytes.
    pub(super) fn encode(&mut self, packet: &Packet, dialect: Dialect) -> usize {
        let before = self.bytes.len();
        packet.encode_for(dialect, &mut self.bytes);
        self.count += 1;
        self.bytes.len() - before
    }

    /// Appends lines that were encoded before.
    pub(super) fn append(&mut self, lines: &[u8], count: usize) {
        self.bytes.extend_from_slice(lines);
        self.count += count;
    }

    /// Takes back the last line, which is `length` bytes long and not begun.
    pub(super) fn take_back(&mut self, length: usize) {
        self.cut_out(self.end() - length as u64, length);
    }

    /// Takes a line out that is `length` bytes long, not begun, and stands at the place `begin`. What is behind it
    /// moves up.
    pub(super) fn cut_out(&mut self, begin: u64, length: usize) {
        let from = self.written + self.distance(begin);
        self.bytes.drain(from..from + length);
        self.count -= 1;
    }

    /// Drops what is not written. Its places are passed over.
    pub(super) fn clear(&mut self) {
        let position = self.end();
        *self = Self { position, ..Self::default() };
    }

    /// The place of the next byte to write.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes are to be written before the one at `place`.
    pub(super) fn distance(&self, place: u64) -> usize {
        usize::try_from(place - self.position).expect("what waits is in memory")
    }

    /// The place behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.position + self.rest().len() as u64
    }

    /// What is not written.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// What is not written of the line that has begun; nothing between two lines.
    pub(super) fn rest_of_line(&self) -> &[u8] {
        if !self.inside {
            return &[];
        }
        let newline = self.rest().iter().position(|byte| *byte == b'\n');
        newline.map_or(self.rest(), |end| &self.rest()[..=end])
    }

    /// How many lines are not written to their end.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Notes that the next `count` bytes are written.
    pub(super) fn advance(&mut self, count: usize) {
        let is_all = count == self.rest().len();
        // What is queued is whole lines.
        let (ended, inside) = if is_all { (self.count, false) } else { self.ended_in(count) };
        self.count -= ended;
        self.inside = inside;
        self.written += count;
        self.position += count as u64;
        self.forget_written();
    }

    /// How many lines end in the next `count` bytes, and whether one has begun behind those.
    fn ended_in(&self, count: usize) -> (usize, bool) {
        let written = &self.rest()[..count];
        let ended = written.iter().filter(|byte| **byte == b'\n').count();
        (ended, written.last().map_or(self.inside, |byte| *byte != b'\n'))
    }

    /// Moves the rest to the front. Only when that is the smaller part, so that many small writes cost no more
    /// than their sum.
    fn forget_written(&mut self) {
        let rest = self.rest().len();
        if rest > self.written {
            return;
        }
        self.bytes.copy_within(self.written.., 0);
        self.bytes.truncate(rest);
        self.written = 0;
        if rest == 0 {
            self.bytes.shrink_to(KEPT_BYTES);
        }
    }
}
