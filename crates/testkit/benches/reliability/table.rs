//! The report in print: Markdown, to be read as it is and to be pasted.

use std::io::{self, Write};

use crate::columns::table;
use crate::report::Report;
use crate::soak::Soak;
use crate::{before, kills, peers, spread, starved, stopped, target};

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let peers = [("PM2", &report.pm2), ("nginx", &report.nginx)];
    let peers = peers.map(|(name, version)| match version {
        Some(version) => format!("{name} {version}"),
        None => format!("{name} not found: its row is left out"),
    });
    let (machine, [pm2, nginx]) = (report.machine.line(), peers);
    writeln!(out, "{machine}; {pm2}; {nginx}; a {} build.", report.profile)?;
    if !report.kills.is_empty() {
        kills(out, &report.kills)?;
    }
    if !report.before.is_empty() {
        before(out, &report.before)?;
    }
    if !report.starved.is_empty() {
        starved(out, &report.starved)?;
    }
    if !report.stopped.is_empty() {
        stopped(out, &report.stopped)?;
    }
    if !report.spread.is_empty() {
        spread(out, &report.spread)?;
    }
    report.soak.iter().try_for_each(|it| soak(out, it))?;
    if !report.peers.is_empty() {
        beside(out, &report.peers)?;
    }
    target::print(out, &report.targets)
}

fn kills(out: &mut impl Write, rows: &[kills::Row]) -> io::Result<()> {
    writeln!(out, "\n### Kills under load\n")?;
    let head = [
        "workers",
        "kills",
        "in s",
        "answered",
        "failed",
        "inside",
        "closed",
        "hung",
        "refused",
        "books",
        "descriptors",
        "RSS KiB",
    ];
    table(
        out,
        head,
        rows.iter().map(|it| {
            let Level { descriptors, rss } = level(&it.growth);
            [
                it.who.to_owned(),
                it.kills.to_string(),
                format!("{:.0}", it.took_s),
                it.books.traffic.answered.to_string(),
                it.books.traffic.failed_text(),
                it.books.inside.to_string(),
                it.books.closed_text(),
                it.books.hung.to_string(),
                it.books.refused.to_string(),
                it.books.verdict(),
                descriptors,
                rss,
            ]
        }),
    )
}

fn before(out: &mut impl Write, rows: &[before::Row]) -> io::Result<()> {
    writeln!(out, "\n### Kills before the answer\n")?;
    let head = [
        "handed over by",
        "kills",
        "in s",
        "plain clients",
        "answered",
        "half-closing clients",
        "answered",
        "offered again",
        "accepted",
        "taken",
    ];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                it.who.to_owned(),
                it.kills.to_string(),
                format!("{:.0}", it.took_s),
                it.plain.all.to_string(),
                it.plain.answered.to_string(),
                it.half_closed.all.to_string(),
                it.half_closed.answered.to_string(),
                it.again.to_string(),
                it.accepted.to_string(),
                it.taken.to_string(),
            ]
        }),
    )
}

fn starved(out: &mut impl Write, rows: &[starved::Row]) -> io::Result<()> {
    writeln!(out, "\n### No descriptor left\n")?;
    let head = [
        "shedding",
        "clients",
        "for s",
        "before: a second",
        "µs of CPU each",
        "nothing accepted: CPU %",
        "at the limit: a second",
        "µs of CPU each",
        "CPU %",
        "beyond service",
        "control asked",
        "answered",
        "slowest ms",
        "requests answered",
        "failed",
        "closed",
        "full service after ms",
        "longest wait s",
    ];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                if it.shedding { "yes" } else { "no" }.to_owned(),
                it.clients.to_string(),
                it.seconds.to_string(),
                format!("{:.0}", it.free.rate()),
                format!("{:.1}", it.free.each_us()),
                format!("{:.2}", it.barred.cpu_percent()),
                format!("{:.0}", it.scarce.rate()),
                format!("{:.1}", it.scarce.each_us()),
                format!("{:.2}", it.scarce.cpu_percent()),
                format!("{:.2}", it.beyond_percent()),
                it.asks.to_string(),
                it.asks_answered.to_string(),
                format!("{:.1}", it.slowest_ask_ms),
                it.books.traffic.answered.to_string(),
                it.books.traffic.failed_text(),
                it.books.closed_text(),
                format!("{:.0}", it.recovered_ms),
                format!("{:.2}", it.slowest_s),
            ]
        }),
    )?;
    if rows.iter().all(|it| !it.shedding) {
        writeln!(out, "\nThis build cannot shed.")?;
    }
    Ok(())
}

fn spread(out: &mut impl Write, rows: &[spread::Row]) -> io::Result<()> {
    writeln!(out, "\n### The policy kernel: killed, replaced, stopped\n")?;
    let head = ["workers", "what", "answered", "failed", "slowest ms", "rescued"];
    let lines = rows.iter().flat_map(|it| {
        let killed = (format!("{} kills", it.kills), &it.killed, String::new());
        let moved = format!("{} reloads, {} times 2 more and fewer", it.reloads, it.scales);
        let moved = (moved, &it.moved, String::new());
        let stopped = format!("{} times one of 3 stopped for 3 s", it.stops);
        let stopped = (stopped, &it.stopped, format!("{:.0}", it.slowest_ms));
        [killed, moved, stopped].map(|(what, traffic, slowest)| {
            let rescued = if slowest.is_empty() { String::new() } else { it.rescued.to_string() };
            let (answered, failed) = (traffic.answered.to_string(), traffic.failed_text());
            [it.who.to_owned(), what, answered, failed, slowest, rescued]
        })
    });
    table(out, head, lines)
}

fn stopped(out: &mut impl Write, rounds: &[stopped::Round]) -> io::Result<()> {
    writeln!(out, "\n### One of three workers stopped\n")?;
    let head = [
        "round",
        "answered",
        "p99 ms, whole",
        "p99 ms, others",
        "ratio",
        "stuck, whole",
        "stuck",
        "slowest of those ms",
        "failed",
    ];
    table(
        out,
        head,
        rounds.iter().enumerate().map(|(number, it)| {
            let (whole, stopped) = (&it.whole, &it.stopped);
            [
                (number + 1).to_string(),
                (whole.answered + stopped.answered).to_string(),
                format!("{:.2}", whole.p99_ms),
                format!("{:.2}", stopped.p99_ms),
                format!("{:.2}", stopped.p99_ms / whole.p99_ms),
                whole.stuck.to_string(),
                stopped.stuck.to_string(),
                format!("{:.0}", stopped.slowest_ms),
                (whole.failed + stopped.failed).to_string(),
            ]
        }),
    )
}

fn soak(out: &mut impl Write, it: &Soak) -> io::Result<()> {
    writeln!(out, "\n### Restarts and connections\n")?;
    let Level { descriptors, rss } = level(&it.growth);
    let head = [
        "restarts",
        "in s",
        "connections",
        "failed",
        "inside",
        "closed",
        "books",
        "descriptors",
        "zombies",
        "RSS KiB",
    ];
    let row = [
        it.restarts.to_string(),
        format!("{:.0}", it.took_s),
        it.books.attempts.to_string(),
        it.books.traffic.failed_text(),
        it.books.inside.to_string(),
        it.books.closed_text(),
        it.books.verdict(),
        descriptors,
        it.growth.after.zombies.to_string(),
        rss,
    ];
    table(out, head, std::iter::once(row))?;
    let looks: Vec<_> = it.rss_kib.iter().map(u64::to_string).collect();
    writeln!(out, "\nThe primary's RSS on the way, in KiB: {}.", looks.join(", "))
}

fn beside(out: &mut impl Write, rows: &[peers::Row]) -> io::Result<()> {
    writeln!(out, "\n### The same kills with others\n")?;
    let head =
        ["who", "kills", "answered", "hung", "refused", "failed", "descriptors of the primary"];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                it.who.clone(),
                format!("{} of {}", it.kills, it.asked),
                it.books.traffic.answered.to_string(),
                it.books.hung.to_string(),
                it.books.refused.to_string(),
                it.books.traffic.failed_text(),
                format!("{} → {}", it.descriptors_before, it.descriptors_after),
            ]
        }),
    )
}

/// In words, from before to after.
struct Level {
    descriptors: String,
    rss: String,
}

fn level(it: &crate::level::Growth) -> Level {
    Level {
        descriptors: format!("{} → {}", it.before.descriptors, it.after.descriptors),
        rss: format!("{} → {}", it.before.rss_kib, it.after.rss_kib),
    }
}
