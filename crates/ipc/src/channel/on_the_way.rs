//! The handle messages that are not answered yet, and which line may be written behind them. Pure.
//!
//! **Alone**, by Node's rule: a handle message waits until all before it are answered, and until it is answered nothing
//! follows it. So a receiver that pairs loosely cannot pair wrongly, and what it asks for again, or delivers later
//! than it reads it (Node makes a server of a handle first), is not overtaken by what was sent later.
//!
//! **In a row** go the connections of listeners, up to the [window](ChannelSettings::handle_window): the kernel ends a
//! read behind the bytes that carried a descriptor, so each comes to its receiver as the end of a read of its
//! own, and is acted on before the next read. For the same reason a line without a descriptor may pass between them:
//! it is read after all that stand before it. (The next descriptor then waits until that line is read, which is
//! the shell's affair.)
//!
//! Two bounds keep it so. A line in a row is short enough to be one piece in the kernel, whatever the buffer of the
//! socket: the second piece would carry no descriptor and be read together with the next line. And what may be
//! unread stays far below the 64 KiB that Node reads at once: a line that is cut there is paired wrongly.

use std::collections::VecDeque;

use super::outbox::OutgoingHandle;
use super::settings::ChannelSettings;
use crate::handle::HandleKind;
use crate::message::{ClusterBody, ClusterMessage, Inner, Packet};

/// Longest line, in bytes with its newline, that goes in a row. A longer one goes alone. Linux cuts what is longer than
/// half of the send buffer less 64 bytes; half of the smallest buffer that it allows is 2,304.
const ROW_LINE_BYTES: usize = 2048;

/// Most bytes from the end of the last handle message that was answered to the end of a line that is written
/// behind one that is not. Beyond it the line waits for the next answer. (Our own answers are not counted: a
/// peer that keeps Node's rule reads each before it causes the next.)
const UNANSWERED_BYTES: u64 = 32 * 1024;

/// How a line goes among handle messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It has no descriptor.
    Plain,
    /// Its descriptor may be on its way together with others.
    InARow,
    /// Its descriptor is the only one.
    Alone,
}

/// One handle message, from the moment in which nothing is in its way any more until it is answered.
#[derive(Debug)]
pub(super) struct Carried<H> {
    /// The place of its first byte on the wire.
    pub(super) begin: u64,
    pub(super) length: usize,
    pub(super) handle: OutgoingHandle<H>,
    pub(super) manner: Manner,
    pub(super) retry: Option<Retry>,
}

/// A line that is written again when its descriptor does not arrive.
#[derive(Debug)]
pub(super) struct Retry {
    pub(super) line: Vec<u8>,
    pub(super) left: u32,
}

/// All of them, oldest first. A peer answers in this order.
#[derive(Debug)]
pub(super) struct OnTheWay<H> {
    window: usize,
    all: VecDeque<Carried<H>>,
    /// How many of them, from the oldest, have their descriptor written, with the first byte of the line.
    sent: usize,
    /// Where the line of the last one that was answered ends.
    answered_to: u64,
}

impl Manner {
    pub(super) const fn of(packet: &Packet, length: usize) -> Self {
        match packet {
            Packet::Handle {
                kind: HandleKind::NetNative,
                inner: Inner::Cluster(ClusterMessage { body: ClusterBody::NewConn { .. }, .. }),
            } if length <= ROW_LINE_BYTES => Self::InARow,
            Packet::Handle { .. } => Self::Alone,
            _ => Self::Plain,
        }
    }
}

impl<H> Carried<H> {
    const fn end(&self) -> u64 {
        self.begin + self.length as u64
    }
}

impl<H> OnTheWay<H> {
    pub(super) fn new(settings: &ChannelSettings) -> Self {
        let window = if cfg!(target_os = "linux") { settings.handle_window.max(1) } else { 1 };
        Self { window, all: VecDeque::new(), sent: 0, answered_to: 0 }
    }

    /// Whether a line that ends at the place `end` may follow.
    pub(super) fn admits(&self, manner: Manner, end: u64) -> bool {
        let Some(last) = self.all.back() else {
            return true;
        };
        // One that is alone has nothing behind it, and so is the last.
        let in_a_row = self.window > 1 && last.manner == Manner::InARow;
        in_a_row
            && end - self.answered_to <= UNANSWERED_BYTES
            && match manner {
                Manner::Plain => true,
                Manner::InARow => self.all.len() < self.window,
                Manner::Alone => false,
            }
    }

    pub(super) fn push(&mut self, carried: Carried<H>) {
        self.all.push_back(carried);
    }

    /// The oldest of which not a byte is written.
    pub(super) fn first_unsent(&self) -> Option<&Carried<H>> {
        self.all.get(self.sent)
    }

    /// The first byte of that one is written.
    pub(super) const fn one_more_is_sent(&mut self) {
        self.sent += 1;
    }

    /// The one that an answer is about, if its line is written to the end: all before `position` is.
    pub(super) fn take_answered(&mut self, position: u64) -> Option<Carried<H>> {
        let oldest = self.all.front().filter(|it| self.sent > 0 && it.end() <= position)?;
        self.answered_to = oldest.end();
        self.sent -= 1;
        self.all.pop_front()
    }

    /// Takes all of which not a byte is written.
    pub(super) fn take_unsent(&mut self) -> VecDeque<Carried<H>> {
        self.all.split_off(self.sent)
    }

    /// The oldest whose descriptor is written.
    pub(super) fn oldest_sent(&self) -> Option<&Carried<H>> {
        self.all.front().filter(|_| self.sent > 0)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
