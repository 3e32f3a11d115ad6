//! The report in print.

use std::io::{self, Write};

use crate::args::Load;
use crate::common::stats::Spread;
use crate::report::{Figures, Ratio, Report, Section};

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { clients, workers, .. } = report;
    writeln!(out, "{}", report.machine.line())?;
    writeln!(out, "{}", report.peers.line())?;
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
    let (title, unit) = match section.load {
        Load::Short => ("Short connections", "conn"),
        Load::KeepAlive => ("Keep-alive", "req"),
        Load::Open => ("Short connections in an open loop", "conn"),
    };
    let Section { rounds, slice_ms, .. } = section;
    writeln!(out, "\n{title}, {rounds} rounds of {slice_ms} ms, medians\n")?;
    if let Some(late) = section.late_ms {
        writeln!(out, "The client began its requests late by p99 {} ms.\n", late.text())?;
    }
    writeln!(
        out,
        "{:<24} {:>9} {:>14} {:>7} {:>11} {:>8} {:>8} {:>8} {:>7}",
        "server",
        format!("{unit}/s"),
        format!("CPU us/{unit}"),
        "(p20)",
        "primary us",
        "p50 ms",
        "p99 ms",
        "p99.9",
        "failed"
    )?;
    section.servers.iter().try_for_each(|it| row(out, it))
}

fn row(out: &mut impl Write, it: &Figures) -> io::Result<()> {
    let primary = it.primary_us.map_or("-".to_owned(), |us| format!("{:.2}", us.median));
    writeln!(
        out,
        "{:<24} {:>9.0} {:>14.2} {:>7.2} {:>11} {:>8.3} {:>8.3} {:>8.3} {:>7}",
        it.name,
        it.rate.median,
        it.cpu_us.median,
        it.cpu_us_p20,
        primary,
        it.p50_ms.median,
        it.p99_ms.median,
        it.p99_9_ms.median,
        it.failed
    )
}

fn ratios(out: &mut impl Write, section: &Section) -> io::Result<()> {
    if section.ratios.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nRatios inside a round: median (lower..upper quartile)\n")?;
    let (rate, cpu, primary) = ("rate", "CPU", "primary's CPU");
    writeln!(out, "{:<48} {rate:<19} {cpu:<19} {:<19} {primary}", "", "p99")?;
    section.ratios.iter().try_for_each(|it| ratio(out, it))
}

fn ratio(out: &mut impl Write, it: &Ratio) -> io::Result<()> {
    let pair = format!("{} / {}", it.server, it.against);
    let primary = it.primary.map(Spread::text).unwrap_or_default();
    let [rate, cpu, p99] = [it.rate, it.cpu, it.p99].map(Spread::text);
    writeln!(out, "{pair:<48} {rate:<19} {cpu:<19} {p99:<19} {primary}")
}
