//! Tables that fit the terminal: the columns that matter least go first.

use super::harmless::unbroken;
use super::page::Page;

/// What stands between two columns.
const GAP: usize = 2;

/// One column's title and what it is worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// Numbers are set to the right.
    pub(crate) right: bool,
    /// 0 always stays; of the others the highest goes first when there is no room.
    pub(crate) rank: u8,
}

/// A cell, in one line whatever is in it, and how it is told apart on a terminal with colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Busy,
    Bad,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    pub(crate) fn toned(text: impl Into<String>, tone: Tone) -> Self {
        let text = text.into();
        Self { text: unbroken(&text).into_owned(), tone }
    }
}

/// All that is ever written to colour a text.
pub(super) const SEQUENCES: [&str; 4] = ["\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"];

impl Tone {
    /// The text in its colour: green, yellow, red.
    pub(crate) fn paint(self, text: &str, coloured: bool) -> String {
        let colour = match self {
            Self::Plain => return text.to_owned(),
            Self::Good => 32,
            Self::Busy => 33,
            Self::Bad => 31,
        };
        if coloured { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The table as lines, the titles first. Each row has as many cells as there are columns.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Cell>], page: Page) -> String {
    let width_of = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|it| it.text.chars().count());
        cells.chain([columns[at].title.len()]).max().unwrap_or(0)
    };
    let mut shown: Vec<(usize, usize)> = (0..columns.len()).map(|at| (at, width_of(at))).collect();
    let total = |shown: &[(usize, usize)]| {
        shown.iter().map(|(_, width)| width + GAP).sum::<usize>().saturating_sub(GAP)
    };
    while let Some(most) = page.width.filter(|most| total(&shown) > *most) {
        let least = shown.iter().enumerate().max_by_key(|(_, (at, _))| columns[*at].rank);
        match least {
            Some((place, (at, _))) if columns[*at].rank > 0 => drop(shown.remove(place)),
            // What is left must be there, and is cut by the terminal where it cannot be.
            _ => {
                let _ = most;
                break;
            }
        }
    }
    let title = |at: usize| Cell::new(columns[at].title);
    let mut text = line(columns, &shown, title, page);
    for row in rows {
        text.push_str(&line(columns, &shown, |at| row[at].clone(), page));
    }
    text
}

fn line(
    columns: &[Column],
    shown: &[(usize, usize)],
    cell: impl Fn(usize) -> Cell,
    page: Page,
) -> String {
    let mut text = String::new();
    for (place, (at, width)) in shown.iter().enumerate() {
        let Cell { text: content, tone } = cell(*at);
        let blank = " ".repeat(width.saturating_sub(content.chars().count()));
        let painted = tone.paint(&content, page.coloured);
        let is_last = place + 1 == shown.len();
        match (columns[*at].right, is_last) {
            (true, _) => text.push_str(&format!("{blank}{painted}")),
            (false, true) => text.push_str(&painted),
            (false, false) => text.push_str(&format!("{painted}{blank}")),
        }
        if !is_last {
            text.push_str(&" ".repeat(GAP));
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] = [
        Column { title: "name", right: false, rank: 0 },
        Column { title: "memory", right: true, rank: 2 },
        Column { title: "state", right: false, rank: 1 },
    ];

    fn rows() -> Vec<Vec<Cell>> {
        vec![vec![Cell::new("api"), Cell::new("3 MiB"), Cell::toned("running", Tone::Good)]]
    }

    fn on(width: Option<usize>, coloured: bool) -> Page {
        Page { width, coloured }
    }

    #[test]
    fn columns_stand_below_their_titles() {
        let text = table(&COLUMNS, &rows(), on(None, false));
        assert_eq!(text, "name  memory  state\napi    3 MiB  running\n");
    }

    #[test]
    fn what_matters_least_goes_first_when_there_is_no_room() {
        let text = table(&COLUMNS, &rows(), on(Some(15), false));
        assert_eq!(text, "name  state\napi   running\n");
        assert_eq!(table(&COLUMNS, &rows(), on(Some(1), false)), "name\napi\n");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let text = table(&COLUMNS, &rows(), on(None, true));
        assert!(text.ends_with("api    3 MiB  \x1b[32mrunning\x1b[0m\n"), "{text:?}");
    }
}
