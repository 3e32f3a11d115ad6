//! The report in print: Markdown, to be read as it is and to be pasted.

use std::io::{self, Write};

use crate::columns::table;
use crate::common::stats::Spread;
use crate::ends::End;
use crate::growth::Size;
use crate::idle::Idle;
use crate::loss::Loss;
use crate::memory::{All, Weight, Weights};
use crate::report::Report;
use crate::start::Starts;

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{}.", report.machine.line())?;
    writeln!(out, "{}.", report.peers.line())?;
    report.start.iter().try_for_each(|it| starts(out, it))?;
    report.memory.iter().try_for_each(|it| memory(out, it))?;
    growth(out, &report.growth)?;
    report.idle.iter().try_for_each(|it| idle(out, it))?;
    ends(out, &report.ends)?;
    losses(out, &report.loss)
}

fn starts(out: &mut impl Write, it: &Starts) -> io::Result<()> {
    writeln!(out, "\n### Start\n")?;
    writeln!(
        out,
        "From the start of the primary to the first answer, and until all workers are ready.\n"
    )?;
    let head = ["server", "workers", "first answer ms", "all ready ms"];
    let row = |it: &crate::start::Start| {
        let [first, all] = [it.first_ms, it.all_ms].map(milliseconds);
        [it.name.clone(), it.workers.to_string(), first, all]
    };
    table(out, head, it.servers.iter().map(row))?;
    if it.ratios.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let head = ["ratio inside a round", "workers", "first answer", "all ready"];
    let row = |it: &crate::start::Ratio| {
        let pair = format!("{} / {}", it.server, it.against);
        [pair, it.workers.to_string(), it.first.text(), it.all.text()]
    };
    table(out, head, it.ratios.iter().map(row))
}

fn memory(out: &mut impl Write, it: &All) -> io::Result<()> {
    let All { connections, servers, long } = it;
    writeln!(out, "\n### Memory, 2 workers\n")?;
    writeln!(
        out,
        "MiB; before any connection, and after {connections} short ones. Each server alone.\n"
    )?;
    let head =
        ["server", "primary RSS", "PSS", "tree PSS", "loaded: primary RSS", "PSS", "tree PSS"];
    let row = |it: &Weights| {
        let [a, b, c] = weights(&it.idle);
        let [d, e, f] = weights(&it.loaded);
        [it.name.clone(), a, b, c, d, e, f]
    };
    table(out, head, servers.iter().map(row))?;
    let [before, after] = [long.before, long.after].map(|it| mebibytes(it.primary_anonymous));
    let [rss, rss_after] = [long.before, long.after].map(|it| mebibytes(it.primary_rss));
    writeln!(
        out,
        "\nA primary of the library, before and after {} further connections: RSS {rss} and {rss_after} MiB, of it its own \
         (anonymous) {before} and {after}.",
        long.connections
    )
}

fn weights(it: &Weight) -> [String; 3] {
    [it.primary_rss, it.primary_pss, it.tree_pss].map(mebibytes)
}

#[allow(clippy::cast_precision_loss)]
fn mebibytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f64 / f64::from(1 << 20))
}

fn growth(out: &mut impl Write, sizes: &[Size]) -> io::Result<()> {
    if sizes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Growth\n")?;
    writeln!(
        out,
        "Short connections of 64 clients, answered by hand; the ratio is against the same server with 2 workers.\n"
    )?;
    let head = ["server", "workers", "conn/s", "CPU µs/conn", "CPU against 2 workers"];
    let row = |it: &Size| {
        [
            it.name.clone(),
            it.workers.to_string(),
            format!("{:.0}", it.rate.median),
            format!("{:.1}", it.cpu_us.median),
            it.cpu_ratio.text(),
        ]
    };
    table(out, head, sizes.iter().map(row))
}

fn idle(out: &mut impl Write, it: &Idle) -> io::Result<()> {
    writeln!(out, "\n### {} idle connections, 2 workers\n", it.connections)?;
    let head = [
        "server",
        "new conn/s without",
        "with them",
        "primary's sockets without",
        "with them",
        "bytes each",
    ];
    let row = |it: &crate::idle::Held| {
        [
            it.name.clone(),
            format!("{:.0}", it.rate_without.median),
            format!("{:.0}", it.rate_with.median),
            it.sockets_without.to_string(),
            it.sockets_with.to_string(),
            it.bytes_each.to_string(),
        ]
    };
    table(out, head, it.servers.iter().map(row))?;
    writeln!(out)?;
    let row = |it: &crate::idle::Ratio| [format!("{} / {}", it.server, it.against), it.rate.text()];
    table(out, ["ratio inside a round", "new conn/s with them"], it.ratios.iter().map(row))
}

fn ends(out: &mut impl Write, ends: &[End]) -> io::Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### From the worker's close to the client's end\n")?;
    let head = ["server", "clients", "p50 µs", "p99 µs"];
    let row = |it: &End| {
        let [p50, p99] = [it.p50_us, it.p99_us].map(rounded);
        [it.name.clone(), it.clients.to_string(), p50, p99]
    };
    table(out, head, ends.iter().map(row))
}

fn losses(out: &mut impl Write, losses: &[Loss]) -> io::Result<()> {
    if losses.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### Loss per kill, 4 workers\n")?;
    let head = ["server", "kills", "answered", "failed", "failed per kill", "hung per kill"];
    let row = |it: &Loss| {
        let each = |count: u64| per_kill(count, it.kills);
        [
            it.name.clone(),
            it.kills.to_string(),
            it.traffic.answered.to_string(),
            it.traffic.failed_text(),
            each(it.traffic.failures()),
            each(it.hung),
        ]
    };
    table(out, head, losses.iter().map(row))
}

#[allow(clippy::cast_precision_loss)]
fn per_kill(count: u64, kills: u32) -> String {
    format!("{:.2}", count as f64 / f64::from(kills.max(1)))
}

fn milliseconds(it: Spread) -> String {
    let Spread { lower, median, upper } = it;
    if median < 20.0 {
        format!("{median:.1} ({lower:.1}..{upper:.1})")
    } else {
        format!("{median:.0} ({lower:.0}..{upper:.0})")
    }
}

fn rounded(it: Spread) -> String {
    let Spread { lower, median, upper } = it;
    format!("{median:.0} ({lower:.0}..{upper:.0})")
}
