//! Bytes to lines, with a bound. Pure: no descriptor, no colour.

/// The longest line that is kept together, in bytes, its newline not counted. A longer one is passed on in pieces, so
/// that a worker which never writes a newline costs the primary no more than this.
pub(crate) const MAX_LINE: usize = 64 * 1024;

/// Whether a piece begins a line or goes on with one that was too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    First,
    Continued,
}

/// Cuts one worker's stream into lines, whatever the chunks in which it arrives.
#[derive(Debug)]
pub(crate) struct Splitter {
    partial: Vec<u8>,
    piece: Piece,
}

impl Splitter {
    pub(crate) fn new() -> Self {
        Self { partial: Vec::new(), piece: Piece::First }
    }

    /// Takes the next bytes and gives each finished line, or piece of a long one, to `emit`, without its newline.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut emit: impl FnMut(Piece, &[u8])) {
        while !bytes.is_empty() {
            let room = MAX_LINE - self.partial.len();
            // One byte more than there is room for: a newline right behind a full line still ends it.
            let window = &bytes[..bytes.len().min(room + 1)];
            if let Some(end) = window.iter().position(|b| *b == b'\n') {
                self.end(&window[..end], Piece::First, &mut emit);
                bytes = &bytes[end + 1..];
            } else if bytes.len() > room {
                self.end(&bytes[..room], Piece::Continued, &mut emit);
                bytes = &bytes[room..];
            } else {
                self.partial.extend_from_slice(bytes);
                return;
            }
        }
    }

    /// The stream has ended: what stands without a newline is a line too.
    pub(crate) fn finish(&mut self, mut emit: impl FnMut(Piece, &[u8])) {
        if !self.partial.is_empty() {
            self.end(&[], Piece::First, &mut emit);
        }
    }

    /// Emits the partial line with `rest` behind it; `next` is what the following piece will be.
    fn end(&mut self, rest: &[u8], next: Piece, emit: &mut impl FnMut(Piece, &[u8])) {
        let piece = std::mem::replace(&mut self.piece, next);
        if self.partial.is_empty() {
            emit(piece, rest);
        } else {
            self.partial.extend_from_slice(rest);
            emit(piece, &self.partial);
            self.partial.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(chunks: &[&[u8]]) -> Vec<(Piece, Vec<u8>)> {
        let mut splitter = Splitter::new();
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |piece, text| lines.push((piece, text.to_vec())));
        }
        splitter.finish(|piece, text| lines.push((piece, text.to_vec())));
        lines
    }

    #[test]
    fn lines_are_the_same_in_every_chunking() {
        let text: &[u8] = b"one\n\ntwo\r\nth\xffree";
        let whole = split(&[text]);
        assert_eq!(
            whole.iter().map(|(_, line)| line.as_slice()).collect::<Vec<_>>(),
            [b"one".as_slice(), b"", b"two\r", b"th\xffree"]
        );
        for at in 0..=text.len() {
            assert_eq!(split(&[&text[..at], &text[at..]]), whole, "cut at {at}");
        }
        assert_eq!(split(&text.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn a_line_of_the_greatest_length_is_whole_and_one_byte_more_makes_two_pieces() {
        let full = vec![b'x'; MAX_LINE];
        assert_eq!(split(&[&full, b"\n"]), [(Piece::First, full.clone())]);
        assert_eq!(
            split(&[&full, b"y\nz\n"]),
            [
                (Piece::First, full.clone()),
                (Piece::Continued, b"y".to_vec()),
                (Piece::First, b"z".to_vec())
            ]
        );
    }

    #[test]
    fn a_stream_without_newlines_keeps_no_more_than_one_line() {
        let mut splitter = Splitter::new();
        let mut bytes = 0;
        for _ in 0..1_000 {
            splitter.feed(&[b'x'; 1_000], |_, text| bytes += text.len());
            assert!(splitter.partial.len() <= MAX_LINE);
        }
        splitter.finish(|_, text| bytes += text.len());
        assert_eq!(bytes, 1_000_000);
    }

    #[test]
    fn nothing_at_the_end_of_a_stream_is_no_line() {
        assert_eq!(split(&[b"a\n"]).len(), 1);
        assert_eq!(split(&[]).len(), 0);
    }
}
