//! Cuts a stream of bytes into lines, and gives each passed descriptor to the line that it came with.
//!
//! Pure: the descriptor type is a parameter, so nothing here needs a socket.
//!
//! # Which line owns a descriptor
//!
//! A sender attaches a descriptor to the first byte of a line. The kernel may put plain bytes that were
//! written *earlier* into the same read, but it ends a read behind the bytes that carried descriptors. So of
//! the lines **begun** in one read, the last one is the one that the descriptor was sent with, whether it is
//! complete already or not. The rule for one [`push`](FrameDecoder::push) with `k` descriptors:
//!
//! - they belong, in order, to the last `k` frames begun in that push;
//! - if fewer frames were begun, the first descriptors go to those, and the rest is *surplus*: dropped (hence
//!   closed) and counted;
//! - a descriptor that its frame does not want is the frame's own and never moves on to a later one.

use std::collections::VecDeque;
use std::io::BufRead;

use crate::error::FrameError;

/// Default limit of one frame in bytes: far above what Node programs send, far below what hurts.
pub const FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Memory that a decoder keeps between frames, in bytes. A long frame does not hold its memory for ever.
const KEPT_BYTES: usize = 64 * 1024;

/// Cuts bytes into newline-terminated frames.
///
/// After each [`push`](Self::push) call [`next`](Self::next) until it returns `None`; then the memory used is
/// bounded by the limit plus one push.
#[derive(Debug)]
pub struct FrameDecoder<F> {
    limit: usize,
    buffer: Vec<u8>,
    /// Where in `buffer` the next frame begins. What is before it was taken already.
    start: usize,
    /// Everything from `start` to here holds no newline, so no byte is looked at twice.
    scanned: usize,
    /// The place of `buffer[0]` in the whole stream.
    origin: u64,
    /// Descriptors waiting for their frames, each with the place in the stream where its frame begins.
    descriptors: VecDeque<(u64, F)>,
    surplus: u64,
    failed: Option<FrameError>,
}

/// One line, without its newline, borrowed from the decoder until its next use.
#[derive(Debug)]
pub struct Frame<'a, F> {
    /// The bytes of the line.
    pub bytes: &'a [u8],
    /// The descriptor that was sent with this line.
    pub fd: Option<F>,
}

impl<F> FrameDecoder<F> {
    /// A decoder that accepts frames of up to `limit_bytes`, the newline not counted.
    #[must_use]
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            limit: limit_bytes,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            origin: 0,
            descriptors: VecDeque::new(),
            surplus: 0,
            failed: None,
        }
    }

    /// Takes what one `recvmsg` returned: its bytes and its descriptors.
    pub fn push<I>(&mut self, bytes: &[u8], fds: I)
    where
        I: IntoIterator<Item = F>,
        I::IntoIter: ExactSizeIterator,
    {
        let fds = fds.into_iter();
        if self.failed.is_some() {
            self.surplus += fds.len() as u64;
            return;
        }
        self.forget_taken();
        let pushed_at = self.buffer.len();
        self.reserve(bytes.len());
        self.buffer.extend_from_slice(bytes);
        if fds.len() > 0 {
            self.pair(pushed_at, fds);
        }
    }

    /// The next complete frame, or `None` until more bytes are pushed.
    ///
    /// # Errors
    /// The frame is longer than the limit. The stream cannot be followed from there: every later call
    /// returns the same error, and all descriptors are dropped.
    #[expect(clippy::should_implement_trait, reason = "a frame borrows from the decoder")]
    pub fn next(&mut self) -> Result<Option<Frame<'_, F>>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let newline = find_newline(&self.buffer[self.scanned..]);
        let end = newline.map_or(self.buffer.len(), |offset| self.scanned + offset);
        if end - self.start > self.limit {
            return Err(self.fail());
        }
        if newline.is_none() {
            self.scanned = end;
            return Ok(None);
        }
        let (start, begin) = (self.start, self.place(self.start));
        self.start = end + 1;
        self.scanned = self.start;
        let fd = self.take_descriptor(begin);
        Ok(Some(Frame { bytes: &self.buffer[start..end], fd }))
    }

    /// How many descriptors came with no frame that could own them, since the decoder was made.
    #[must_use]
    pub const fn surplus(&self) -> u64 {
        self.surplus
    }

    /// The stream is at its end: drops a frame that has begun and will never be complete, with its
    /// descriptor. Returns whether there was one. Complete frames can still be taken.
    pub fn finish(&mut self) -> bool {
        let newline = self.buffer[self.start..].iter().rposition(|byte| *byte == b'\n');
        let end = newline.map_or(self.start, |offset| self.start + offset + 1);
        let was_inside = end < self.buffer.len();
        self.buffer.truncate(end);
        self.scanned = self.scanned.min(end);
        let end = self.place(end);
        self.descriptors.retain(|(begin, _)| *begin < end);
        was_inside
    }

    const fn place(&self, index: usize) -> u64 {
        self.origin + index as u64
    }

    /// Gives `fds` to the last frames begun at or behind `pushed_at`, as the rule at the top says.
    fn pair(&mut self, pushed_at: usize, mut fds: impl ExactSizeIterator<Item = F>) {
        let Self { buffer, origin, descriptors, .. } = self;
        // `buffer[0]` always begins a frame: the buffer is only ever cut between frames.
        let begins_here = |index: &usize| *index == 0 || buffer[*index - 1] == b'\n';
        let owners = (pushed_at..buffer.len()).rev().filter(begins_here).take(fds.len());
        if let Some(first) = owners.last() {
            let begins = (first..buffer.len()).filter(begins_here);
            let places = begins.map(|index| *origin + index as u64);
            descriptors.extend(places.zip(&mut fds));
        }
        self.surplus += fds.count() as u64;
    }

    fn take_descriptor(&mut self, begin: u64) -> Option<F> {
        let owned = self.descriptors.front().is_some_and(|(place, _)| *place == begin);
        if !owned {
            return None;
        }
        self.descriptors.pop_front().map(|(_, fd)| fd)
    }

    fn fail(&mut self) -> FrameError {
        let error = FrameError::TooLong { limit: self.limit };
        self.failed = Some(error);
        self.buffer = Vec::new();
        (self.start, self.scanned) = (0, 0);
        self.descriptors.clear();
        error
    }

    /// Moves the unfinished frame to the front. Only when that is the smaller part, so that many small
    /// pushes cost no more than their sum.
    fn forget_taken(&mut self) {
        let rest = self.buffer.len() - self.start;
        if self.start == 0 || rest > self.start {
            return;
        }
        self.origin += self.start as u64;
        self.buffer.copy_within(self.start.., 0);
        self.buffer.truncate(rest);
        self.scanned -= self.start;
        self.start = 0;
        if rest == 0 && self.buffer.capacity() > KEPT_BYTES {
            self.buffer.shrink_to(KEPT_BYTES);
        }
    }

    /// Doubles like a vector, but not beyond what a frame of the limit can need.
    fn reserve(&mut self, more: usize) {
        let needed = self.buffer.len() + more;
        if needed > self.buffer.capacity() {
            let doubled = (2 * self.buffer.capacity()).min(self.limit.saturating_add(more));
            self.buffer.reserve_exact(needed.max(doubled) - self.buffer.len());
        }
    }
}

/// Std shows its vectorised search for a byte only as part of `BufRead`.
fn find_newline(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let skipped = rest.skip_until(b'\n').ok()?;
    bytes[..skipped].ends_with(b"\n").then(|| skipped - 1)
}

#[cfg(test)]
mod tests;
