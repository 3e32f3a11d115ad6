//! The standard output of a command that prints an answer and ends.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::harmless::{harmless_json, harmless_page};
use super::report::{coloured, say_plainly};
use super::words::commands::not_written;
use crate::args::Color;
use crate::exit::ExitStatus;

/// Part of an answer of this process could not be written.
static IS_LOST: AtomicBool = AtomicBool::new(false);

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
    write(harmless_page(text, Page::of_stdout().coloured).as_bytes());
}

/// Prints one JSON object on a line of its own.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    let json = serde_json::to_vec(value).expect("answers have text keys and finite numbers");
    let mut line = harmless_json(json);
    line.push(b'\n');
    write(&line);
}

fn write(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    wrote(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// Takes note of how writing to standard output went, and says once that it failed.
pub(crate) fn wrote(result: io::Result<()>) {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            if !IS_LOST.swap(true, Ordering::Relaxed) {
                say_plainly(&not_written(&error));
            }
        }
        Ok(()) | Err(_) => {}
    }
}

/// The status of a command that comes to this one by what it did: another if all went well but its answer is lost.
pub(crate) fn unless_lost(status: ExitStatus) -> ExitStatus {
    if status == ExitStatus::Stopped && IS_LOST.load(Ordering::Relaxed) {
        ExitStatus::NotWritten
    } else {
        status
    }
}

/// Prints what the argument parser has to say: help, the version, or what is wrong.
pub(crate) fn answer_instead(it: &clap::Error) -> ExitStatus {
    let said = it.print().and_then(|()| io::stdout().flush());
    if it.use_stderr() {
        // A closed stderr is nobody to tell about it.
        return ExitStatus::Usage;
    }
    wrote(said);
    ExitStatus::Stopped
}
