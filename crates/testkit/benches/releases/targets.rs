//! What is aimed at, and whether this run reached it.

use crate::broken;
use crate::crash::{Crash, RECOVERED_WITHIN};
use crate::report::Report;
use crate::small::Small;
use crate::stops;
use crate::target::{Target, at_most, nothing};
use crate::traffic::Kind;

/// Those of the parts that ran.
pub(crate) fn all(report: &Report) -> Vec<Target> {
    let mut targets = broken(&report.broken);
    targets.extend(report.good.iter().filter(|it| it.who != "PM2, Node").filter_map(good));
    targets.extend(report.crash.iter().flat_map(crash));
    targets.extend(report.small.iter().flat_map(small));
    targets.extend(stops(&report.stops));
    targets
}

fn broken(rows: &[broken::Row]) -> Vec<Target> {
    let ours: Vec<_> = rows.iter().filter(|it| it.who == "portcrew").collect();
    let sum = |of: fn(&broken::Row) -> u64| ours.iter().map(|it| of(it)).sum::<u64>();
    let reloads = sum(|it| it.reloads);
    if reloads == 0 {
        return Vec::new();
    }
    let every = |what: &str, found: u64| Target {
        what: format!("broken releases: {what}"),
        wanted: reloads.to_string(),
        measured: found.to_string(),
        reached: found == reloads,
    };
    vec![
        every("rolled back", sum(|it| it.rolled_back)),
        every("status other than 0", sum(|it| it.failed_status)),
        every("the reason is said", sum(|it| it.reasons)),
        every("old workers untouched", sum(|it| it.untouched)),
        every("the port is open after it", sum(|it| it.open)),
        nothing("broken releases: failed requests", sum(|it| it.traffic.failures())),
    ]
}

fn good(row: &crate::good::Row) -> Option<Target> {
    // Unmodified Node workers end kept connections by Node's own rules; that row is for comparison.
    if row.load == Kind::Kept && row.who == "Node" {
        return None;
    }
    let reloads = row.reloads;
    let failures = row.traffic.failures();
    let told = row.load == Kind::Close || row.traffic.announced > 0;
    let measured = match row.load {
        Kind::Close => failures.to_string(),
        Kind::Kept => format!("{failures}, {} ends announced", row.traffic.announced),
    };
    Some(Target {
        what: format!("{reloads} reloads, {}, {}: failed requests", row.who, row.load.said()),
        wanted: "0".to_owned(),
        measured,
        reached: failures == 0 && told && row.committed == reloads,
    })
}

fn crash(it: &Crash) -> Vec<Target> {
    let mut targets = vec![
        Target {
            what: "crash loop: the primary's share of a processor".to_owned(),
            wanted: "below 1 %".to_owned(),
            measured: format!("{:.2} %", it.cpu_percent),
            reached: it.cpu_percent < 1.0,
        },
        Target {
            what: "crash loop: the port is open".to_owned(),
            wanted: format!("{} of {}", it.looks, it.looks),
            measured: format!("{} of {}", it.open, it.looks),
            reached: it.open == it.looks,
        },
        Target {
            what: "crash loop: serves again once the program is mended".to_owned(),
            wanted: format!("{} s", RECOVERED_WITHIN.as_secs()),
            measured: it
                .recovered_s
                .map_or_else(|| "not in time".to_owned(), |it| format!("after {it:.1} s")),
            reached: it.recovered_s.is_some(),
        },
    ];
    targets.extend(it.killed.iter().map(|it| {
        let what = format!(
            "kill to new pid of {} workers, beyond the delay: median (worst) ms",
            it.workers
        );
        at_most(&what, 10.0, it.beyond_delay.median_ms, &it.beyond_delay)
    }));
    targets
}

fn small(it: &Small) -> Vec<Target> {
    let mut targets = Vec::new();
    for weight in &it.primaries {
        let workers = weight.workers;
        let memory = |what: &str, most: u64, found: u64| Target {
            what: format!("primary of 2 {workers} workers: {what}"),
            wanted: format!("{most} KiB"),
            measured: format!("{found} KiB"),
            reached: found <= most,
        };
        targets.push(memory("RSS", 6 << 10, weight.rss));
        targets.push(memory("private", 3 << 9, weight.anonymous));
    }
    for ask in &it.commands {
        let what = format!("`portcrew {}`: median (worst) ms", ask.command);
        targets.push(at_most(&what, 20.0, ask.took.median_ms, &ask.took));
    }
    let what = format!("`portcrew list` of {} crews: median (worst) ms", it.crews);
    targets.push(at_most(&what, 50.0, it.list.took.median_ms, &it.list.took));
    targets
}

fn stops(rows: &[stops::Row]) -> Vec<Target> {
    if rows.is_empty() {
        return Vec::new();
    }
    let sum = |of: fn(&stops::Row) -> usize| rows.iter().map(of).sum::<usize>() as u64;
    let total = sum(|it| it.stops);
    vec![
        nothing(&format!("{total} stops: later than allowed"), sum(|it| it.late)),
        nothing(
            &format!("{total} stops: processes, sockets and locks left"),
            sum(|it| it.alive + it.files),
        ),
    ]
}
