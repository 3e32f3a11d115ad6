//! The report in print: Markdown, to be read as it is and to be pasted.

use std::io::{self, Write};

use crate::args::Case;
use crate::balance::{Balance, CLIENTS};
use crate::columns::table;
use crate::common::stats::Spread;
use crate::report::{Figures, Ratio, Report, Section};
use crate::targets::Target;

/// Beyond this the client's own lateness is as long as the latencies that are to be told apart.
const MUCH_LATENESS_MS: f64 = 0.5;

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { workers, slice_ms, one_in, slow_ms, fast_us, .. } = report;
    writeln!(out, "{}.", report.machine.line())?;
    writeln!(
        out,
        "{workers} workers, slices of {slice_ms} ms; one request in {one_in} takes {slow_ms} ms, the others {fast_us} µs, \
         and latencies are theirs."
    )?;
    writeln!(out, "Rust servers answer {}.", report.hello.said())?;
    report.cases.iter().try_for_each(|it| section(out, it))?;
    if !report.balances.is_empty() {
        balances(out, report)?;
    }
    targets(out, &report.targets)
}

fn section(out: &mut impl Write, section: &Section) -> io::Result<()> {
    let Section { per_second, rounds, .. } = section;
    let title = match section.case {
        Case::Block => "Slow requests block",
        Case::Spin => "Slow requests spin",
    };
    writeln!(out, "\n### {title} ({per_second}/s, {rounds} rounds)\n")?;
    let head = [
        "server",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "over 5 ms",
        "CPU µs/req",
        "of it primary",
        "failed",
    ];
    table(out, head, section.servers.iter().map(figures))?;
    lateness(out, section.late_ms)?;
    if section.ratios.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let head = ["ratio inside a round", "p90", "p99", "p99.9"];
    table(out, head, section.ratios.iter().map(ratio))
}

/// The client is on the same machine: what keeps it from its requests is in every latency.
fn lateness(out: &mut impl Write, late_ms: Spread) -> io::Result<()> {
    let much = late_ms.median > MUCH_LATENESS_MS;
    let advice = if much { " That is much: the machine had other things to do." } else { "" };
    writeln!(out, "\nThe client began its requests late by p99 {} ms.{advice}", late_ms.text())
}

fn figures(it: &Figures) -> [String; 9] {
    [
        it.name.clone(),
        milliseconds(it.p50_ms),
        milliseconds(it.p90_ms),
        milliseconds(it.p99_ms),
        milliseconds(it.p99_9_ms),
        format!("{:.2} %", it.caught.median),
        format!("{:.0}", it.cpu_us.median),
        it.primary_us.map_or_else(|| "–".to_owned(), |us| format!("{:.0}", us.median)),
        it.failed.to_string(),
    ]
}

fn milliseconds(it: Spread) -> String {
    let precise = it.median < 10.0;
    if precise { format!("{:.2}", it.median) } else { format!("{:.1}", it.median) }
}

fn ratio(it: &Ratio) -> [String; 4] {
    let pair = format!("{} / {}", it.server, it.against);
    [pair, it.p90.text(), it.p99.text(), it.p99_9.text()]
}

fn balances(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report { workers, short_connections, lasting, .. } = report;
    writeln!(out, "\n### Balance over {workers} workers\n")?;
    writeln!(
        out,
        "{short_connections} short connections: the most over the least that a worker got."
    )?;
    writeln!(
        out,
        "{lasting} connections opened at once: what the busiest worker holds, median (worst).\n"
    )?;
    let [one, few, many] = CLIENTS;
    let [one, few, many] = [one, few, many].map(|it| format!("{it} at a time"));
    let at_once = format!("{lasting} at once");
    let head = ["server", one.as_str(), few.as_str(), many.as_str(), at_once.as_str()];
    table(out, head, report.balances.iter().map(balance))
}

fn balance(it: &Balance) -> [String; 5] {
    let [one, few, many] = it.short.map(|ratio| format!("{ratio:.3}"));
    [it.name.clone(), one, few, many, format!("{} ({})", it.busiest.median, it.busiest_worst)]
}

fn targets(out: &mut impl Write, targets: &[Target]) -> io::Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Targets\n")?;
    table(out, ["target", "at most", "measured", "reached"], targets.iter().map(target))
}

fn target(it: &Target) -> [String; 4] {
    let reached = match (it.is_reached(), it.only_shown) {
        (true, false) => "yes",
        (false, false) => "**no**",
        (true, true) => "yes (not a target)",
        (false, true) => "no (not a target)",
    };
    let single = it.measured.lower.total_cmp(&it.measured.upper).is_eq();
    let measured = if single { format!("{:.3}", it.measured.median) } else { it.measured.text() };
    [it.what.clone(), it.at_most.to_string(), measured, reached.to_owned()]
}
