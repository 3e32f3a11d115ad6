//! The end of what a worker printed, kept for the day on which it has to say why the worker failed.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that are kept of one worker's output.
const MAX_BYTES: usize = 8 * 1024;

/// Lines that are shown. A stack trace of Node.js with its message fits.
const MAX_LINES: usize = 16;

/// The last bytes of both streams of one worker, in the order in which they were read.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Mutex<Vec<u8>>,
}

impl Tail {
    /// Adds what was read, and forgets what is too old.
    pub(super) fn push(&self, chunk: &[u8]) {
        let mut bytes = self.lock();
        let chunk = &chunk[chunk.len().saturating_sub(MAX_BYTES)..];
        let surplus = (bytes.len() + chunk.len()).saturating_sub(MAX_BYTES);
        bytes.drain(..surplus);
        bytes.extend_from_slice(chunk);
    }

    /// The last lines that say something, without control characters: they stand among words of the primary.
    pub(super) fn lines(&self) -> Vec<String> {
        let bytes = self.lock();
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<String> = text
            .lines()
            .rev()
            .map(|line| line.chars().filter(|c| !c.is_control() || *c == '\t').collect())
            .filter(|line: &String| !line.trim().is_empty())
            .take(MAX_LINES)
            .collect();
        lines.reverse();
        lines
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        // Nothing panics while it holds this lock.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_in_their_order_and_empty_ones_left_out() {
        let tail = Tail::default();
        for number in 0..100 {
            tail.push(format!("line {number}\n\n").as_bytes());
        }
        let lines = tail.lines();
        assert_eq!(lines.len(), MAX_LINES);
        assert_eq!(lines.first().map(String::as_str), Some("line 84"));
        assert_eq!(lines.last().map(String::as_str), Some("line 99"));
    }

    #[test]
    fn a_flood_is_cut_at_its_beginning() {
        let tail = Tail::default();
        tail.push(&[b'x'; 3 * MAX_BYTES]);
        tail.push(b"\nthe end");
        assert!(tail.lock().len() <= MAX_BYTES);
        assert_eq!(tail.lines().last().map(String::as_str), Some("the end"));
    }

    #[test]
    fn colours_and_other_controls_are_taken_out() {
        let tail = Tail::default();
        tail.push(b"\x1b[31mred\x07\r\n\tat x\xff");
        assert_eq!(tail.lines(), ["[31mred", "\tat x\u{fffd}"]);
    }
}
