//! A table of Markdown whose columns are as wide as their widest cell, so that it is one for the eye too.

use std::io::{self, Write};

pub(crate) fn table<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> io::Result<()> {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| widest(column).unwrap_or(0));
    for (place, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            write!(out, "| {cell:<width$} ")?;
        }
        writeln!(out, "|")?;
        if place == 0 {
            widths.iter().try_for_each(|width| write!(out, "|{}", "-".repeat(width + 2)))?;
            writeln!(out, "|")?;
        }
    }
    Ok(())
}
