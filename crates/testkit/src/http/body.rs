//! The body of an answer, taken piece by piece in any division.

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// With a chunk of length zero.
    Chunked,
    /// With the connection.
    UntilEof,
}

/// What a piece of input did to the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fed {
    More,
    /// The body is whole; so many bytes of the piece belonged to it.
    Whole(usize),
}

/// A chunk's size line may not be longer, extensions included.
const MAX_SIZE_LINE: usize = 256;
/// The trailers behind the last chunk may not be longer in all.
const MAX_TRAILERS: usize = 4096;
/// Of the body, so many first bytes are kept to look for the worker in.
pub(super) const WINDOW: usize = 4096;

#[derive(Debug)]
pub(super) struct Body {
    state: State,
    total: u64,
    limit: u64,
    window: Vec<u8>,
    line: Vec<u8>,
    trailers: usize,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Left(u64),
    UntilEof,
    Size,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    Whole,
}

impl Body {
    pub(super) fn new(framing: Framing, limit: u64) -> Self {
        let state = match framing {
            Framing::Length(0) => State::Whole,
            Framing::Length(length) => State::Left(length),
            Framing::Chunked => State::Size,
            Framing::UntilEof => State::UntilEof,
        };
        Self { state, total: 0, limit, window: Vec::new(), line: Vec::new(), trailers: 0 }
    }

    /// The first [`WINDOW`] bytes, decoded.
    pub(super) fn window(&self) -> &[u8] {
        &self.window
    }

    /// Whether an end of the connection now is the end of the body.
    pub(super) fn ends_with_eof(&self) -> bool {
        matches!(self.state, State::UntilEof | State::Whole)
    }

    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Fed, &'static str> {
        let mut at = 0;
        loop {
            let rest = &piece[at..];
            match self.state {
                State::Whole => return Ok(Fed::Whole(at)),
                _ if rest.is_empty() => return Ok(Fed::More),
                State::Left(left) => {
                    let taken = self.take(rest, left)?;
                    at += taken;
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::Whole } else { State::Left(left) };
                }
                State::UntilEof => at += self.take(rest, u64::MAX)?,
                State::Chunk(left) => {
                    let taken = self.take(rest, left)?;
                    at += taken;
                    let left = left - taken as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                }
                State::Size | State::ChunkEnd | State::Trailers => at += self.take_line(rest)?,
            }
        }
    }

    fn take(&mut self, rest: &[u8], left: u64) -> Result<usize, &'static str> {
        let taken = usize::try_from(left).map_or(rest.len(), |left| rest.len().min(left));
        self.total += taken as u64;
        if self.total > self.limit {
            return Err("the body is larger than the limit");
        }
        let room = WINDOW.saturating_sub(self.window.len()).min(taken);
        self.window.extend_from_slice(&rest[..room]);
        Ok(taken)
    }

    fn take_line(&mut self, rest: &[u8]) -> Result<usize, &'static str> {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(rest.len(), |end| end + 1);
        self.line.extend_from_slice(&rest[..taken]);
        if self.line.len() > MAX_SIZE_LINE.max(MAX_TRAILERS) {
            return Err("a line of the chunked body is too long");
        }
        if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.end_line(
                line.strip_suffix(b"\r\n").ok_or("a line of the chunked body ends without CR")?,
            )?;
        }
        Ok(taken)
    }

    fn end_line(&mut self, line: &[u8]) -> Result<(), &'static str> {
        self.state = match self.state {
            State::Size => match chunk_size(line)? {
                0 => State::Trailers,
                size => State::Chunk(size),
            },
            State::ChunkEnd if line.is_empty() => State::Size,
            State::ChunkEnd => return Err("a chunk is longer than its size says"),
            State::Trailers if line.is_empty() => State::Whole,
            State::Trailers => {
                self.trailers += line.len();
                if self.trailers > MAX_TRAILERS {
                    return Err("the trailers are too long");
                }
                State::Trailers
            }
            // Only the three states above read lines.
            other @ (State::Left(_) | State::UntilEof | State::Chunk(_) | State::Whole) => other,
        };
        Ok(())
    }
}

fn chunk_size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if line.len() > MAX_SIZE_LINE || digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit)
    {
        return Err("a chunk has no size");
    }
    let digits = std::str::from_utf8(digits).map_err(|_| "a chunk has no size")?;
    u64::from_str_radix(digits, 16).map_err(|_| "a chunk has an impossible size")
}
