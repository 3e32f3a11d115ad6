//! The command's two streams while a crew runs: who writes what where.
//!
//! A worker's stdout goes to stdout and its stderr to stderr. With `--events` stdout carries nothing but JSON lines,
//! and both of a worker's streams go to stderr. What the primary itself says goes to stderr.

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::events::{Event, json_line};
use super::feed::Feed;
use super::harmless::{harmless, unbroken};
use super::lines::{Label, Lines};
use super::sink::{Limits, Marks, Rotation, Sink};
use super::words::notices;
use crate::args::Color;

/// How long the end of the command waits for a reader that does not read.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// The size at which a log file of a detached crew is put aside, in bytes. One that was put aside is kept.
const MOST_LOG: u64 = 16 * 1024 * 1024;

/// Goes back to the beginning of a terminal's line and empties it.
const CLEAR: &str = "\r\x1b[K";

/// Characters of a sentence, beyond which it is cut: there may be a worker's text in it.
const MOST_SAID: usize = 4096;

/// How output looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// No prefixes.
    pub(crate) raw: bool,
    /// Events on stdout.
    pub(crate) events: bool,
    pub(crate) colour_stdout: bool,
    pub(crate) colour_stderr: bool,
}

impl Style {
    /// The style for this process: its terminals, `NO_COLOR` and `TERM` are looked at.
    pub(crate) fn new(raw: bool, events: bool, color: Color) -> Self {
        let no_color = std::env::var_os("NO_COLOR");
        let term = std::env::var_os("TERM");
        let on = |terminal| coloured(color, terminal, no_color.as_deref(), term.as_deref());
        Self {
            raw,
            events,
            colour_stdout: on(io::stdout().is_terminal()),
            colour_stderr: on(io::stderr().is_terminal()),
        }
    }
}

/// `NO_COLOR` counts when it is not empty; a terminal that calls itself `dumb` has no colours.
pub(super) fn coloured(
    color: Color,
    terminal: bool,
    no_color: Option<&OsStr>,
    term: Option<&OsStr>,
) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let wanted = no_color.is_none_or(OsStr::is_empty);
            terminal && wanted && term != Some(OsStr::new("dumb"))
        }
    }
}

/// Which of a worker's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

const LINES: Marks = Marks { unread: dropped_line, unwritten: lost_line };

const EVENTS: Marks = Marks { unread: dropped_event, unwritten: dropped_event };

/// Everything that the primary and its workers say.
#[derive(Debug)]
pub(crate) struct Report {
    style: Style,
    stdout: Arc<Sink>,
    stderr: Arc<Sink>,
    feed: Arc<Feed>,
    /// The line at the bottom of a terminal that is written anew again and again; `None` where stderr is no terminal.
    status: Option<Mutex<String>>,
}

impl Report {
    /// Takes this process's stdout and stderr (duplicates of them). Where they are `files`, these are limited in size.
    ///
    /// # Errors
    /// When a descriptor or a thread is refused.
    pub(crate) fn new(style: Style, files: Option<[PathBuf; 2]>) -> io::Result<Self> {
        let [out, err] = match files {
            Some(files) => files.map(|file| Some(Rotation { file, most: MOST_LOG })),
            None => [None, None],
        };
        let marks = if style.events { EVENTS } else { LINES };
        Ok(Self {
            style,
            stdout: Arc::new(sink(io::stdout().as_fd(), marks, out)?),
            stderr: Arc::new(sink(io::stderr().as_fd(), LINES, err)?),
            feed: Arc::default(),
            status: io::stderr().is_terminal().then(Mutex::default),
        })
    }

    /// The writer for one stream of one worker; `turn` chooses its colour (the worker's slot).
    pub(crate) fn lines(&self, worker: &dyn Display, turn: usize, stream: Stream) -> Lines {
        let (sink, colour) = match stream {
            Stream::Stdout if !self.style.events => (&self.stdout, self.style.colour_stdout),
            Stream::Stdout | Stream::Stderr => (&self.stderr, self.style.colour_stderr),
        };
        Lines::new(Label::new(worker, turn, self.style.raw, colour), Arc::clone(sink))
    }

    /// Says something as the primary, in one line whatever is in it. Never blocks.
    pub(crate) fn notice(&self, text: &str) {
        let status = self.status.as_ref().map(lock);
        let text = match &status {
            Some(status) if !status.is_empty() => format!("{CLEAR}{}{status}", sentence(text)),
            Some(_) | None => sentence(text),
        };
        self.stderr.write(text.as_bytes(), 1);
    }

    /// Says how things are: on a terminal in one line that the next status replaces, elsewhere as a notice.
    pub(crate) fn status(&self, text: &str) {
        let Some(status) = &self.status else {
            return self.notice(text);
        };
        // A line that wraps could not be replaced. A terminal that does not know its width says 0.
        let width = rustix::termios::tcgetwinsize(io::stderr()).map_or(0, |size| size.ws_col);
        let width = if width == 0 { 79 } else { usize::from(width) - 1 };
        let mut status = lock(status);
        *status = format!("{}{text}", notices::PREFIX).chars().take(width).collect();
        self.stderr.write(format!("{CLEAR}{status}").as_bytes(), 1);
    }

    /// Prints an event when events are wanted, and gives it to those who listen on the control socket.
    pub(crate) fn event(&self, event: &Event<'_>) {
        let is_read = self.feed.is_read();
        if !self.style.events && !is_read {
            return;
        }
        let line = json_line(event);
        if self.style.events {
            self.stdout.write(&line, 1);
        }
        if is_read {
            self.feed.push(&line);
        }
    }

    /// The events, for the control socket.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }

    /// Lines that were dropped since the start, of both streams.
    pub(crate) fn lost(&self) -> u64 {
        self.stdout.lost() + self.stderr.lost()
    }

    /// Writes what is queued, waiting for each stream no longer than one second. Gives the number of lines lost.
    pub(crate) fn close(self) -> u64 {
        if self.status.as_ref().is_some_and(|status| !lock(status).is_empty()) {
            // What is written next, by whomever, begins on a line of its own.
            self.stderr.write(b"\n", 1);
        }
        self.stdout.close(CLOSE_LIMIT) + self.stderr.close(CLOSE_LIMIT)
    }
}

/// Says something when there is no crew yet: straight to stderr. Each line of it becomes one, so it is our own text,
/// and what others wrote is [unbroken] in it. A closed stderr is nobody to tell about it.
pub(crate) fn say_plainly(text: &str) {
    let _ = io::stderr().lock().write_all(prefixed(text).as_bytes());
}

fn sink(fd: BorrowedFd<'_>, marks: Marks, rotation: Option<Rotation>) -> io::Result<Sink> {
    Sink::new(fd.try_clone_to_owned()?, Limits::default(), marks, rotation)
}

fn lock(status: &Mutex<String>) -> MutexGuard<'_, String> {
    // Nothing panics while it holds this lock.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One line. Also what a worker wrote makes no second one of it, which would be taken for ours.
fn sentence(text: &str) -> String {
    let text = unbroken(text);
    match text.char_indices().nth(MOST_SAID) {
        Some((end, _)) => prefixed(&format!("{}…", &text[..end])),
        None => prefixed(&text),
    }
}

fn prefixed(text: &str) -> String {
    harmless(text).lines().map(|line| format!("{}{line}\n", notices::PREFIX)).collect()
}

fn dropped_line(lines: u64) -> Vec<u8> {
    prefixed(&notices::lines_dropped(lines)).into_bytes()
}

fn lost_line(lines: u64) -> Vec<u8> {
    prefixed(&notices::lines_lost(lines)).into_bytes()
}

fn dropped_event(lines: u64) -> Vec<u8> {
    json_line(&Event::Dropped { lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_were_not_told_otherwise() {
        let (set, dumb) = (Some(OsStr::new("1")), Some(OsStr::new("dumb")));
        assert!(coloured(Color::Auto, true, None, None));
        assert!(coloured(Color::Auto, true, Some(OsStr::new("")), None));
        assert!(!coloured(Color::Auto, false, None, None));
        assert!(!coloured(Color::Auto, true, set, None));
        assert!(!coloured(Color::Auto, true, None, dumb));
        assert!(coloured(Color::Always, false, set, dumb));
        assert!(!coloured(Color::Never, true, None, None));
    }

    #[test]
    fn every_line_of_the_primary_is_prefixed() {
        assert_eq!(prefixed("one\ntwo"), "portcrew: one\nportcrew: two\n");
    }

    #[test]
    fn a_sentence_is_one_line_of_bounded_length_whatever_is_in_it() {
        let forged = sentence("listening on /x\nreload: done\r\n\u{1b}[A");
        assert_eq!(forged, "portcrew: listening on /x\\nreload: done\\r\\n\\u{1b}[A\n");
        let long = sentence(&"\u{e9}".repeat(MOST_SAID + 1));
        assert_eq!(long.chars().filter(|it| *it == '\u{e9}').count(), MOST_SAID);
        assert!(long.ends_with("\u{e9}…\n"));
    }

    #[test]
    fn dropped_lines_are_said_in_the_form_of_their_stream() {
        let line = String::from_utf8(dropped_line(1_234)).unwrap();
        assert!(line.contains("1,234 lines dropped"), "{line}");
        let event: serde_json::Value = serde_json::from_slice(&dropped_event(7)).unwrap();
        assert_eq!(event["event"], "dropped");
        assert_eq!(event["lines"], 7);
    }
}
