//! The report in print: Markdown.

use std::io::{self, Write};

use crate::args::Part;
use crate::columns::table;
use crate::report::{Figures, Ratio, Report};
use crate::target;

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { slice_ms, rounds, .. } = report;
    writeln!(out, "{}", report.machine.line())?;
    writeln!(out, "{rounds} rounds, slices of {slice_ms} ms; median (lower..upper quartile).")?;
    for (part, title) in
        [(Part::Lane, "Descriptors by the lane"), (Part::Messages, "Messages by the channel")]
    {
        section(out, report, part, title)?;
    }
    target::print(out, &report.targets)
}

fn section(out: &mut impl Write, report: &Report, part: Part, title: &str) -> io::Result<()> {
    let figures: Vec<_> = report.figures.iter().filter(|it| it.part == part).collect();
    if figures.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### {title}\n")?;
    table(out, ["", "a second", "primary, ns", "worker, ns"], figures.into_iter().map(row))?;
    writeln!(out)?;
    let ratios = report.ratios.iter().filter(|it| it.part == part).map(ratio);
    table(out, ["ratio", "rate", "primary's CPU", "worker's CPU"], ratios)
}

fn row(it: &Figures) -> [String; 4] {
    let Figures { name, rate, primary_us, worker_us, .. } = it;
    let thousands =
        format!("{:.0} k ({:.0}..{:.0})", rate.median / 1e3, rate.lower / 1e3, rate.upper / 1e3);
    let nanoseconds = |us: f64| format!("{:.0}", us * 1e3);
    [(*name).to_owned(), thousands, nanoseconds(primary_us.median), nanoseconds(worker_us.median)]
}

fn ratio(it: &Ratio) -> [String; 4] {
    let Ratio { name, against, rate, primary, worker, .. } = it;
    [format!("{name} / {against}"), rate.text(), primary.text(), worker.text()]
}
