//! The standard output of a command that prints an answer and ends.

use std::io::{self, IsTerminal, Write};

use super::harmless::{harmless_json, harmless_page};
use super::report::coloured;
use crate::args::Color;

/// What the output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// Columns of the terminal; `None` where there is none, and lines are as long as they are.
    pub(crate) width: Option<usize>,
    pub(crate) coloured: bool,
}

impl Page {
    /// Looks at standard output, `NO_COLOR` and `TERM`.
    pub(crate) fn of_stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let columns = rustix::termios::tcgetwinsize(&stdout).map_or(0, |it| it.ws_col);
        let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
        Self {
            // A terminal that does not know its width says 0.
            width: (terminal && columns > 0).then_some(columns.into()),
            coloured: coloured(Color::Auto, terminal, no_color.as_deref(), term.as_deref()),
        }
    }
}

/// Prints an answer, whatever is in it of what workers wrote. Whoever closed the output has read what it wanted.
pub(crate) fn print(text: &str) {
    let text = harmless_page(text, Page::of_stdout().coloured);
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints one JSON object on a line of its own.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    let json = serde_json::to_vec(value).expect("answers have text keys and finite numbers");
    let mut line = harmless_json(json);
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(&line).and_then(|()| stdout.flush());
}
