//! The report in print: Markdown, to be read as it is and to be pasted.

use std::io::{self, Write};

use crate::args::Load;
use crate::columns::table;
use crate::common::stats::Spread;
use crate::report::{Figures, Ratio, Report, Section};

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { clients, workers, .. } = report;
    writeln!(out, "{}.", report.machine.line())?;
    writeln!(out, "{}.", report.peers.line())?;
    let hello = report.hello.said();
    writeln!(
        out,
        "{clients} closed-loop clients, {workers} workers; the Rust servers answer {hello}, those called minimal by hand."
    )?;
    writeln!(
        out,
        "The client uses the same processors, so rates are squeezed towards each other; CPU is of the server alone."
    )?;
    if report.quick && report.machine.node.is_some() {
        writeln!(
            out,
            "Quick: Node is still compiling what is hot and looks up to twice as slow as in a full run."
        )?;
    }
    for section in &report.loads {
        figures(out, section)?;
        ratios(out, section)?;
    }
    Ok(())
}

fn figures(out: &mut impl Write, section: &Section) -> io::Result<()> {
    let Section { rounds, slice_ms, .. } = section;
    let (title, unit) = match section.load {
        Load::Short => ("Short connections".to_owned(), "conn"),
        Load::KeepAlive => ("Keep-alive".to_owned(), "req"),
        Load::Open => {
            (format!("Short connections at {} a second", section.per_second.unwrap_or(0)), "conn")
        }
    };
    writeln!(out, "\n### {title} ({rounds} rounds of {slice_ms} ms)\n")?;
    let (rate, cpu) = (format!("{unit}/s"), format!("CPU µs/{unit} (p20)"));
    let head = ["server", &rate, &cpu, "of it primary", "p50 ms", "p99 ms", "p99.9 ms", "failed"];
    table(out, head, section.servers.iter().map(row))?;
    match section.late_ms {
        Some(late) => {
            writeln!(out, "\nThe client began its requests late by p99 {} ms.", late.text())
        }
        None => Ok(()),
    }
}

fn row(it: &Figures) -> [String; 8] {
    [
        it.name.clone(),
        format!("{:.0}", it.rate.median),
        format!("{:.1} ({:.1})", it.cpu_us.median, it.cpu_us_p20),
        it.primary_us.map_or("–".to_owned(), |us| format!("{:.2}", us.median)),
        format!("{:.2}", it.p50_ms.median),
        format!("{:.2}", it.p99_ms.median),
        format!("{:.2}", it.p99_9_ms.median),
        it.failed.to_string(),
    ]
}

fn ratios(out: &mut impl Write, section: &Section) -> io::Result<()> {
    if section.ratios.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let head = ["ratio inside a round", "rate", "CPU", "p99", "primary's CPU"];
    table(out, head, section.ratios.iter().map(|it| ratio(it, section.load)))
}

fn ratio(it: &Ratio, load: Load) -> [String; 5] {
    let [rate, cpu, p99] = [it.rate, it.cpu, it.p99].map(Spread::text);
    let rate = match load {
        Load::Short | Load::KeepAlive => rate,
        // It is given.
        Load::Open => "–".to_owned(),
    };
    let primary = it.primary.map(Spread::text).unwrap_or_default();
    [format!("{} / {}", it.server, it.against), rate, cpu, p99, primary]
}
