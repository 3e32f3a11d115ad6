//! Reading a beginning from left to right, each byte once.
//!
//! Every step looks only at what it passes, and says [`Missing::NeedMore`] only at the end of the bytes. That is what
//! makes all parsers here give the same answer for every continuation of a beginning that they could judge.

use super::sight::{Missing, Sight};

/// A place in the bytes that came so far.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    passed: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, passed: 0 }
    }

    /// How many bytes were passed.
    pub(super) const fn passed(&self) -> usize {
        self.passed
    }

    /// The next byte, without passing it.
    pub(super) fn first(&self) -> Sight<u8> {
        self.rest.first().copied().ok_or(Missing::NeedMore)
    }

    pub(super) fn byte(&mut self) -> Sight<u8> {
        let byte = self.first()?;
        self.pass(1);
        Ok(byte)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Sight<[u8; N]> {
        let bytes = *self.rest.first_chunk().ok_or(Missing::NeedMore)?;
        self.pass(N);
        Ok(bytes)
    }

    pub(super) fn skip(&mut self, count: usize) -> Sight<()> {
        if count > self.rest.len() {
            return Err(Missing::NeedMore);
        }
        self.pass(count);
        Ok(())
    }

    /// Passes exactly these bytes. A beginning of them needs more; anything else will not become them.
    pub(super) fn expect(&mut self, literal: &[u8]) -> Sight<()> {
        if self.rest.starts_with(literal) {
            self.pass(literal.len());
            return Ok(());
        }
        Err(if literal.starts_with(self.rest) { Missing::NeedMore } else { Missing::Absent })
    }

    /// Passes the bytes that satisfy `belongs`, up to the first that does not; that one must have come, for
    /// only then are they known to be all.
    pub(super) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> Sight<&'a [u8]> {
        let end = self.rest.iter().position(|byte| !belongs(*byte)).ok_or(Missing::NeedMore)?;
        let taken = &self.rest[..end];
        self.pass(end);
        Ok(taken)
    }

    fn pass(&mut self, count: usize) {
        self.rest = &self.rest[count..];
        self.passed += count;
    }
}
