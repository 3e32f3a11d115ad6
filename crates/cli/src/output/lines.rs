//! One worker's output on its way to a sink: prefixed lines, or raw bytes.

use std::fmt::Display;
use std::sync::Arc;

use super::sink::Sink;
use super::splitter::{Piece, Splitter};

/// What is written before a worker's lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// Nothing (`--raw`): bytes are passed on as they come, also without a newline.
    Raw,
    /// `1 | ` before a line, and `1 + ` before the rest of a line that was too long.
    Plain(String),
    /// The same in a colour that the worker keeps; the line itself is left as it is.
    Coloured(String, u8),
}

/// ANSI colours that can be read on dark and on light terminals: cyan, yellow, green, magenta, blue, red.
const COLOURS: [u8; 6] = [36, 33, 32, 35, 34, 31];

impl Label {
    /// The label of a worker; `turn` chooses its colour.
    pub(crate) fn new(worker: &dyn Display, turn: usize, raw: bool, coloured: bool) -> Self {
        if raw {
            Self::Raw
        } else if coloured {
            Self::Coloured(worker.to_string(), COLOURS[turn % COLOURS.len()])
        } else {
            Self::Plain(worker.to_string())
        }
    }

    fn write(&self, piece: Piece, text: &[u8], line: &mut Vec<u8>) {
        let mark = match piece {
            Piece::First => '|',
            Piece::Continued => '+',
        };
        let prefix = match self {
            Self::Raw => String::new(),
            Self::Plain(worker) => format!("{worker} {mark} "),
            Self::Coloured(worker, colour) => format!("\x1b[{colour}m{worker} {mark}\x1b[0m "),
        };
        line.extend_from_slice(prefix.as_bytes());
        line.extend_from_slice(text);
        line.push(b'\n');
    }
}

/// The writer for one stream of one worker. Bytes go in as they were read; lines come out.
#[derive(Debug)]
pub(crate) struct Lines {
    label: Label,
    splitter: Splitter,
    sink: Arc<Sink>,
}

impl Lines {
    pub(crate) fn new(label: Label, sink: Arc<Sink>) -> Self {
        Self { label, splitter: Splitter::new(), sink }
    }

    /// Waits while the sink is full and its reader still makes progress; see [`Sink::room`].
    ///
    /// Call it before each read from the worker, so that a slow reader slows the worker's output, and a stuck one
    /// loses lines instead of stopping the worker. Cancel safe.
    pub(crate) async fn room(&self) {
        self.sink.room().await;
    }

    /// Passes on what was read from the worker. Never blocks.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.label == Label::Raw {
            let newlines = bytes.iter().filter(|b| **b == b'\n').count();
            self.sink.write(bytes, (newlines as u64).max(1));
            return;
        }
        let (label, sink) = (&self.label, &self.sink);
        self.splitter.feed(bytes, |piece, text| send(label, sink, piece, text));
    }

    /// The worker's stream has ended: a last line without a newline is passed on.
    pub(crate) fn finish(mut self) {
        let (label, sink) = (&self.label, &self.sink);
        self.splitter.finish(|piece, text| send(label, sink, piece, text));
    }
}

fn send(label: &Label, sink: &Sink, piece: Piece, text: &[u8]) {
    let mut line = Vec::with_capacity(text.len() + 24);
    label.write(piece, text, &mut line);
    sink.write(&line, 1);
}

#[cfg(test)]
mod tests {
    use super::super::sink::testing::{Pipe, piped};
    use super::super::splitter::MAX_LINE;
    use super::*;

    fn passed_on(label: Label, chunks: &[&[u8]]) -> Vec<u8> {
        let Pipe { sink, reader } = piped();
        let mut lines = Lines::new(label, Arc::clone(&sink));
        for chunk in chunks {
            lines.feed(chunk);
        }
        lines.finish();
        sink.close(std::time::Duration::from_secs(10));
        reader.join().unwrap()
    }

    #[test]
    fn each_line_starts_with_its_worker_and_the_last_one_may_lack_a_newline() {
        let text = passed_on(Label::new(&1, 0, false, false), &[b"a", b"b\nc\xff\x1b[1m\n", b"d"]);
        assert_eq!(text, b"1 | ab\n1 | c\xff\x1b[1m\n1 | d\n");
    }

    #[test]
    fn a_colour_encloses_the_prefix_alone() {
        let text = passed_on(Label::new(&2, 1, false, true), &[b"a\n"]);
        assert_eq!(text, b"\x1b[33m2 |\x1b[0m a\n");
    }

    #[test]
    fn raw_output_is_unchanged() {
        let bytes: &[u8] = b"a\r\0\xff no newline";
        assert_eq!(passed_on(Label::new(&1, 0, true, true), &[bytes]), bytes);
    }

    #[test]
    fn the_rest_of_a_line_that_was_too_long_is_marked() {
        let long = vec![b'x'; MAX_LINE + 3];
        let text = passed_on(Label::new(&1, 0, false, false), &[&long, b"\n"]);
        assert!(text.ends_with(b"x\n1 + xxx\n"));
    }
}
