//! What leaves the command: workers' lines, the primary's notices, events as JSON lines; and the words for all of it.
//!
//! Nothing here can stop the primary: each of stdout and stderr has a writer thread behind a bounded queue (`sink`).

pub(crate) mod events;
mod feed;
mod harmless;
mod lines;
mod page;
mod report;
mod sink;
mod splitter;
mod table;
pub(crate) mod words;

pub(crate) use feed::{Feed, MOST_READERS, Piece, Subscription};
pub(crate) use harmless::unbroken;
pub(crate) use lines::Lines;
pub(crate) use page::{Page, answer_instead, print, print_json, unless_lost};
pub(crate) use report::{Report, Stream, Style, say_plainly};
pub(crate) use table::{Cell, Column, Tone, table};
