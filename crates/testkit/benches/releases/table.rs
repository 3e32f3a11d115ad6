//! The report in print: Markdown, to be read as it is and to be pasted.

use std::io::{self, Write};

use crate::columns::table;
use crate::crash::{Crash, RECOVERED_WITHIN};
use crate::report::Report;
use crate::series::Series;
use crate::small::Small;
use crate::{broken, good, stops, target};

pub(crate) fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    writeln!(out, "{}.", report.machine.line())?;
    match &report.pm2 {
        Some(version) => writeln!(out, "PM2 {version}.")?,
        None => writeln!(
            out,
            "PM2's rows are left out; `scripts/npm-cache peers/pm2 pm2@7` installs it."
        )?,
    }
    if !report.broken.is_empty() {
        broken(out, &report.broken)?;
    }
    if !report.good.is_empty() {
        good(out, &report.good)?;
    }
    report.crash.iter().try_for_each(|it| crash(out, it))?;
    report.small.iter().try_for_each(|it| small(out, it))?;
    if !report.stops.is_empty() {
        stops(out, &report.stops)?;
    }
    target::print(out, &report.targets)
}

fn broken(out: &mut impl Write, rows: &[broken::Row]) -> io::Result<()> {
    writeln!(out, "\n### Broken releases under load\n")?;
    let head = [
        "manager",
        "the release",
        "reloads",
        "rolled back",
        "status not 0",
        "reason said",
        "workers untouched",
        "port open",
        "answered",
        "failed",
        "took ms",
    ];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                it.who.to_owned(),
                it.kind.said().to_owned(),
                it.reloads.to_string(),
                it.rolled_back.to_string(),
                it.failed_status.to_string(),
                it.reasons.to_string(),
                it.untouched.to_string(),
                it.open.to_string(),
                it.traffic.answered.to_string(),
                it.traffic.failed_text(),
                series(it.took),
            ]
        }),
    )?;
    writeln!(
        out,
        "\nWhat portcrew said of the last one of each kind, and the worker's own line that says it:\n"
    )?;
    writeln!(out, "```")?;
    for row in rows.iter().filter(|it| it.who == "portcrew") {
        let reasons = row.kind.reasons();
        let tells = |line: &&str| reasons.iter().any(|it| line.contains(it));
        row.said.lines().filter(tells).try_for_each(|line| writeln!(out, "{line}"))?;
    }
    writeln!(out, "```")
}

fn good(out: &mut impl Write, rows: &[good::Row]) -> io::Result<()> {
    writeln!(out, "\n### Good releases under load\n")?;
    let head = [
        "workers",
        "connections",
        "reloads",
        "status 0",
        "answered",
        "failed",
        "ends announced",
        "unannounced",
        "took ms",
    ];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                it.who.to_owned(),
                it.load.said().to_owned(),
                it.reloads.to_string(),
                it.committed.to_string(),
                it.traffic.answered.to_string(),
                it.traffic.failed_text(),
                it.traffic.announced.to_string(),
                it.traffic.unannounced.to_string(),
                series(it.took),
            ]
        }),
    )
}

fn crash(out: &mut impl Write, it: &Crash) -> io::Result<()> {
    writeln!(out, "\n### Crashes\n")?;
    let head = ["workers", "killed", "new pid told, beyond the delay, ms", "delay ms"];
    let killed = it.killed.iter().map(|it| {
        let (beyond, delay) = (it.beyond_delay.to_string(), it.delay.to_string());
        [it.workers.to_owned(), it.kills.to_string(), beyond, delay]
    });
    table(out, head, killed)?;
    writeln!(out)?;
    let recovered = match it.recovered_s {
        Some(seconds) => format!("{seconds:.1} s after the file was mended the crew answered"),
        None => format!("{RECOVERED_WITHIN:?} after the file was mended nobody answered"),
    };
    writeln!(
        out,
        "A program that throws at boot, for {} s: {} starts; the primary used {:.2} % of a processor; the port was\n\
         open in {} of {} looks; {recovered}.",
        it.loop_s, it.starts, it.cpu_percent, it.open, it.looks
    )
}

fn small(out: &mut impl Write, it: &Small) -> io::Result<()> {
    writeln!(out, "\n### Size and speed\n")?;
    let head = ["primary of 2 workers", "RSS KiB", "PSS KiB", "anonymous KiB"];
    let weights = it.primaries.iter().map(|it| {
        [it.workers.to_owned(), it.rss.to_string(), it.pss.to_string(), it.anonymous.to_string()]
    });
    table(out, head, weights)?;
    writeln!(out)?;
    let many = [format!("list, of {} crews", it.crews), it.list.took.to_string()];
    let commands = it.commands.iter().map(|it| [it.command.clone(), it.took.to_string()]);
    table(out, ["command", "took ms"], commands.chain([many]))
}

fn stops(out: &mut impl Write, rows: &[stops::Row]) -> io::Result<()> {
    writeln!(out, "\n### Stops of hostile workers\n")?;
    let head =
        ["each worker", "stops", "took ms", "allowed ms", "late", "alive", "files", "odd status"];
    table(
        out,
        head,
        rows.iter().map(|it| {
            [
                it.said.to_owned(),
                it.stops.to_string(),
                it.took.to_string(),
                it.allowed_ms.to_string(),
                it.late.to_string(),
                it.alive.to_string(),
                it.files.to_string(),
                it.wrong_status.to_string(),
            ]
        }),
    )
}

fn series(it: Option<Series>) -> String {
    it.map_or_else(|| "–".to_owned(), |it| it.to_string())
}
