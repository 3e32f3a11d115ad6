//! What is aimed at, and whether this run reached it.

use crate::before;
use crate::books::Books;
use crate::kills;
use crate::level::Growth;
use crate::report::Report;
use crate::soak::Soak;
use crate::spread;
use crate::starved;
use crate::stats::Spread;
use crate::stopped::{ALLOWED, DEADLINE, Round, WINDOW};
use crate::target::{Target, at_most, nothing};
use crate::traffic::Traffic;

/// The primary may be so much larger in the end. What it has mapped of its own program counts too.
const GROWTH_KIB: i64 = 1024;

/// Those of the parts that ran.
pub(crate) fn all(report: &Report) -> Vec<Target> {
    let mut targets: Vec<_> = report.kills.iter().flat_map(kills).collect();
    targets.extend(report.before.iter().flat_map(before));
    targets.extend(report.starved.iter().flat_map(starved));
    targets.extend(stopped(&report.stopped));
    targets.extend(report.spread.iter().flat_map(spread));
    targets.extend(report.soak.iter().flat_map(soak));
    targets.extend(report.peers.iter().filter(|it| it.who.starts_with("portcrew")).flat_map(
        |it| {
            let who = format!("{} kills beside the others", it.asked);
            [
                nothing(&format!("{who}: those that found no worker"), it.asked - it.kills),
                nothing(&format!("{who}: hung"), it.books.hung),
                nothing(&format!("{who}: refused"), it.books.refused),
                leaked(&who, it.descriptors_after as i64 - it.descriptors_before as i64),
            ]
        },
    ));
    targets
}

fn kills(row: &kills::Row) -> Vec<Target> {
    let who = format!("{} kills, {}", row.kills, row.who);
    let calm = row.calm.attempts;
    let mut targets = vec![nothing(
        &format!("{calm} requests before the first of {who}: failed, inside or closed"),
        row.calm.losses(),
    )];
    targets.extend(clients(&who, &row.books));
    targets.extend(flat(&who, &row.growth));
    targets
}

fn before(row: &before::Row) -> Vec<Target> {
    let who = format!("{} kills before the answer, {}", row.kills, row.who);
    let all = row.all();
    vec![
        nothing(&format!("{who}: plain clients without an answer"), row.plain.failed()),
        nothing(&format!("{who}: half-closing clients without one"), row.half_closed.failed()),
        Target {
            what: format!("{who}: connections offered again"),
            wanted: format!("at least {}", row.kills),
            measured: row.again.to_string(),
            reached: row.again >= row.kills,
        },
        Target {
            what: format!("{who}: connections, of which the primary accepted and workers took"),
            wanted: format!("{all} and {all}"),
            measured: format!("{} and {}", row.accepted, row.taken),
            reached: row.accepted == all && row.taken == all,
        },
        nothing(&format!("{who}: descriptors more or fewer in the primary"), row.leaked),
    ]
}

/// What every run has to show, in the clients' books and in both.
fn clients(who: &str, books: &Books) -> Vec<Target> {
    vec![
        nothing(&format!("{who}: hung"), books.hung),
        nothing(&format!("{who}: refused"), books.refused),
        nothing(&format!("{who}: failures beyond the requests inside"), books.unexplained),
        Target {
            what: format!("{who}: the books of clients and primary"),
            wanted: "equal".to_owned(),
            measured: books.verdict(),
            reached: books.disagreements.is_empty(),
        },
    ]
}

fn flat(who: &str, growth: &Growth) -> [Target; 3] {
    let grown = growth.rss_kib();
    [
        leaked(who, growth.descriptors()),
        Target {
            what: format!("{who}: growth of the primary's RSS"),
            wanted: format!("below {GROWTH_KIB} KiB"),
            measured: format!("{grown} KiB"),
            reached: grown < GROWTH_KIB,
        },
        nothing(&format!("{who}: zombies"), growth.after.zombies as u64),
    ]
}

fn leaked(who: &str, descriptors: i64) -> Target {
    Target {
        what: format!("{who}: descriptors more in the primary"),
        wanted: "0".to_owned(),
        measured: descriptors.to_string(),
        reached: descriptors == 0,
    }
}

fn starved(row: &starved::Row) -> Vec<Target> {
    let how = if row.shedding { "with shedding" } else { "without shedding" };
    let who = format!("{} s without descriptors, {} clients, {how}", row.seconds, row.clients);
    let (barred, beyond) = (row.barred.cpu_percent(), row.beyond_percent());
    let mut targets = vec![
        at_most(
            &format!("{who}: CPU of the primary while nothing can be accepted, %"),
            5.0,
            barred,
            &format!("{barred:.2}"),
        ),
        nothing(&format!("{who}: answers meanwhile"), row.barred.answered),
        at_most(
            &format!("{who}: CPU of the primary beyond what serving costs, %"),
            5.0,
            beyond,
            &format!("{beyond:.2}"),
        ),
        Target {
            what: format!("{who}: control answers"),
            wanted: row.asks.to_string(),
            measured: format!("{}, the slowest in {:.1} ms", row.asks_answered, row.slowest_ask_ms),
            reached: row.asks_answered == row.asks,
        },
        at_most(
            &format!("{who}: full service after, ms"),
            1000.0,
            row.recovered_ms,
            &format!("{:.0}", row.recovered_ms),
        ),
    ];
    targets.extend(clients(&who, &row.books));
    if !row.shedding {
        targets.push(nothing(&format!("{who}: failures"), row.books.traffic.failures()));
    }
    targets
}

fn stopped(rounds: &[Round]) -> Vec<Target> {
    let ratios = rounds.iter().map(|it| it.stopped.p99_ms / it.whole.p99_ms);
    let Some(Spread { median, .. }) = Spread::of(ratios) else {
        return Vec::new();
    };
    let slow = rounds.iter().map(|it| it.whole.stuck).sum();
    let limit = (DEADLINE + ALLOWED).as_secs_f64() * 1e3;
    let slowest = rounds.iter().map(|it| it.stopped.slowest_ms).fold(0.0, f64::max);
    let most = rounds.iter().map(|it| it.stopped.stuck).max().unwrap_or(0);
    let failed = rounds.iter().map(|it| it.whole.failed + it.stopped.failed).sum();
    vec![
        Target {
            what: "one of three stopped: the others' p99, stopped : whole, median".to_owned(),
            wanted: "below 2".to_owned(),
            measured: format!("{median:.2}"),
            reached: median < 2.0,
        },
        at_most(
            "one of three stopped: its connections answered, slowest, ms",
            limit,
            slowest,
            &format!("{slowest:.0}"),
        ),
        at_most(
            "one of three stopped: its connections, most in one stop",
            WINDOW as f64,
            most as f64,
            &most,
        ),
        nothing("one of three stopped: answers beside it that took as long as those", slow),
        nothing("one of three stopped: failures", failed),
    ]
}

fn spread(it: &spread::Row) -> Vec<Target> {
    let who = format!("kernel, {}", it.who);
    let inside = ["reset", "eof_without_answer", "partial"];
    let beyond = |traffic: &Traffic| -> u64 {
        traffic.failed.iter().filter(|(name, _)| !inside.contains(name)).map(|it| it.1).sum()
    };
    let limit = spread::ALLOWED.as_secs_f64() * 1e3;
    vec![
        nothing(&format!("{who}: {} kills, hung or refused", it.kills), beyond(&it.killed)),
        nothing(&format!("{who}: reloads and changes of size, failures"), it.moved.failures()),
        nothing(&format!("{who}: one of three stopped, failures"), it.stopped.failures()),
        at_most(
            &format!("{who}: one of three stopped, slowest answer, ms"),
            limit,
            it.slowest_ms,
            &format!("{:.0}", it.slowest_ms),
        ),
    ]
}

fn soak(it: &Soak) -> Vec<Target> {
    let who = format!("{} restarts, {} connections", it.restarts, it.books.attempts);
    let mut targets = clients(&who, &it.books);
    targets.extend(flat(&who, &it.growth));
    targets
}
