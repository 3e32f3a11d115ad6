//! What is aimed at, and whether this run reached it.

use serde::{Deserialize, Serialize};

use crate::figures::{Figures, Spread, find, sized, spread};

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub(crate) id: &'static str,
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    /// None where it was not measured, or is only shown.
    pub(crate) reached: Option<bool>,
}

/// As other benchmarks write theirs.
#[derive(Debug, Deserialize)]
struct Taken {
    what: String,
    wanted: String,
    measured: String,
    reached: bool,
}

const CREW: &str = "portcrew";
const MINIMAL: &str = "portcrew minimal";
const KERNEL: &str = "portcrew kernel";
const KERNEL_MINIMAL: &str = "portcrew kernel minimal";
const SHARED: &str = "portcrew shared";
const OF_NODE: &str = "portcrew + Node";
const OF_NODE_KERNEL: &str = "portcrew kernel + Node";
const NODE: &str = "Node cluster";
const PREFORK: &str = "prefork Rust";
const FLOOR: &str = "epoll prefork";
/// A bare hand-over that promises nothing.
const FLOOR_HANDED: &str = "epoll hand-over";
const COMMAND: &str = "`portcrew run` + Node";
/// A program that has the library in it, and little else.
const EXAMPLE: &str = "hyper_hello";

/// All of them, in the order of their numbers.
pub(crate) fn all(figures: &Figures) -> Vec<Target> {
    let mut targets = connections(figures);
    targets.extend(kept(figures));
    targets.extend(taken(figures));
    targets.extend(memory(figures));
    targets.extend(starts(figures));
    targets.extend(of_node(figures));
    targets.extend(sizes(figures));
    targets
}

fn connections(figures: &Figures) -> Vec<Target> {
    let short = |id, server: &str, against: &str, what: &str| {
        let (name, wanted) = match what {
            "rate" => ("conn/s", Wanted::AtLeast(0.0)),
            "cpu" => ("CPU/conn", Wanted::AtMost(0.0)),
            "primary" => ("primary's CPU/conn", Wanted::AtMost(0.0)),
            _ => ("p99", Wanted::AtMost(0.0)),
        };
        let measured = figures.ratio("short", server, against, what);
        Line { id, what: format!("{name}, {server} / {against}"), measured, wanted }
    };
    let mut targets = vec![
        short("T1", MINIMAL, NODE, "rate").than(5.0),
        short("T1", MINIMAL, NODE, "cpu").than(0.12),
        short("T1", MINIMAL, NODE, "p99").than(0.25),
    ];
    targets.extend(["rate", "cpu", "p99"].map(|what| short("T1", CREW, NODE, what).shown()));
    let limit = ["rate", "cpu", "p99"].map(|what| short("T1", FLOOR_HANDED, NODE, what).shown());
    targets.extend(limit);
    targets.push(short("T2", MINIMAL, KERNEL_MINIMAL, "rate").than(0.90));
    targets.push(short("T2", MINIMAL, KERNEL_MINIMAL, "cpu").than(1.40));
    targets.extend(["rate", "cpu"].map(|what| short("T2", CREW, KERNEL, what).shown()));
    targets.extend(["rate", "cpu"].map(|what| short("T2", FLOOR_HANDED, FLOOR, what).shown()));
    targets.push(short("T3", SHARED, PREFORK, "rate").than(0.95));
    targets.push(short("T3", KERNEL, PREFORK, "rate").than(0.95));
    targets.push(short("T3", KERNEL_MINIMAL, FLOOR, "rate").shown());
    targets.push(short("T3", KERNEL_MINIMAL, "nginx", "rate").shown());
    targets.push(short("T4", CREW, NODE, "primary").than(0.17));
    targets.push(short("T4", FLOOR_HANDED, NODE, "primary").shown());
    targets
}

fn kept(figures: &Figures) -> Vec<Target> {
    let primary = figures.of("keep-alive", CREW, "primary_us");
    let tree = figures.of("keep-alive", CREW, "cpu_us");
    let share =
        primary.zip(tree).map(|(primary, tree)| single(primary.median * 100.0 / tree.median));
    let what = format!("keep-alive: % of the tree's CPU in the primary, {CREW}");
    let share = Line { id: "T5", what, measured: share, wanted: Wanted::AtMost(0.3) };
    let what = format!("keep-alive: CPU/request, {CREW} / {PREFORK}");
    let measured = figures.ratio("keep-alive", CREW, PREFORK, "cpu");
    let request = Line { id: "T5", what, measured, wanted: Wanted::AtMost(1.05) };
    vec![share.target(), request.target()]
}

/// The lane and messages have benchmarks of their own, which say themselves what they reached.
fn taken(figures: &Figures) -> Vec<Target> {
    let found = Vec::<Taken>::deserialize(&figures.all["ipc"]["targets"]).unwrap_or_default();
    if found.is_empty() {
        let absent = |id, what: &str| Target {
            id,
            what: what.to_owned(),
            wanted: String::new(),
            measured: "not part of this run".to_owned(),
            reached: None,
        };
        return vec![
            absent("T6", "descriptors on the lane"),
            absent("T7", "messages, worker to primary"),
        ];
    }
    let target = |it: Taken| Target {
        id: if it.what.contains("lane") { "T6" } else { "T7" },
        what: it.what,
        wanted: it.wanted,
        measured: it.measured,
        reached: Some(it.reached),
    };
    found.into_iter().map(target).collect()
}

fn memory(figures: &Figures) -> Vec<Target> {
    let memory = figures.cost("memory");
    let of = |server: &str, when: &str, what: &str| {
        find(&memory["servers"], &[("name", server)])[when][what].as_f64()
    };
    let against_node = |server: &str, what: &str| {
        Some(single(of(server, "loaded", what)? / of(NODE, "loaded", what)?))
    };
    let shown = |text: &str, what: &str| {
        let measured = against_node(CREW, what);
        Line { id: "T8", what: text.to_owned(), measured, wanted: Wanted::AtMost(0.0) }.shown()
    };
    let line = |what: &str, measured, most| {
        let wanted = Wanted::AtMost(most);
        Line { id: "T8", what: what.to_owned(), measured, wanted }.target()
    };
    let mebibytes = of(COMMAND, "loaded", "primary_rss").map(|it| single(it / f64::from(1 << 20)));
    let long = &memory["long"];
    let grown = || {
        let of = |when: &str| long[when]["primary_anonymous"].as_f64();
        Some(single((of("after")? - of("before")?) / 1024.0))
    };
    let count = &long["connections"];
    vec![
        line(
            "primary's RSS, hyper_hello / Node cluster, loaded",
            against_node(EXAMPLE, "primary_rss"),
            0.10,
        ),
        line(
            "primary's PSS, hyper_hello / Node cluster, loaded",
            against_node(EXAMPLE, "primary_pss"),
            0.08,
        ),
        shown("primary's RSS, the benchmark itself / Node cluster, loaded", "primary_rss"),
        shown("primary's PSS, the benchmark itself / Node cluster, loaded", "primary_pss"),
        line("RSS of the command as primary, MiB, loaded", mebibytes, 6.0),
        line(&format!("growth of a primary over {count} connections, KiB"), grown(), 64.0),
    ]
}

fn starts(figures: &Figures) -> Vec<Target> {
    let ratios = &figures.cost("start")["ratios"];
    let line = |id, server: &str, workers, what: &str, most| {
        let ratio = sized(ratios, &[("server", server), ("against", NODE)], workers);
        let name = if what == "first" { "first answer" } else { "all ready" };
        let what_text = format!("{name} with {workers} workers, {server} / {NODE}");
        let wanted = Wanted::AtMost(most);
        Line { id, what: what_text, measured: spread(&ratio[what]), wanted }.target()
    };
    vec![
        line("T9", CREW, 2, "first", 0.05),
        line("T9", CREW, 32, "first", 0.03),
        line("T10", OF_NODE, 2, "first", 0.6),
        line("T10", OF_NODE, 32, "first", 0.12),
        line("T10", OF_NODE, 2, "all", 1.0),
        line("T10", OF_NODE, 32, "all", 1.0),
    ]
}

fn of_node(figures: &Figures) -> Vec<Target> {
    let line = |id, server: &str, what: &str, wanted| {
        let measured = figures.ratio("short", server, NODE, what);
        let name = if what == "rate" { "conn/s" } else { "CPU/conn" };
        Line { id, what: format!("{name}, {server} / {NODE}"), measured, wanted }.target()
    };
    let balances = &figures.all["tail"]["balances"];
    // The last number is that of the most clients.
    let balance = find(balances, &[("name", OF_NODE_KERNEL)])["short"][2].as_f64().map(single);
    let what = format!("most over least given, 64 clients at a time, {OF_NODE_KERNEL}");
    vec![
        line("T11", OF_NODE, "rate", Wanted::AtLeast(1.2)),
        line("T11", OF_NODE, "cpu", Wanted::AtMost(0.80)),
        line("T12", OF_NODE_KERNEL, "rate", Wanted::AtLeast(2.0)),
        line("T12", OF_NODE_KERNEL, "cpu", Wanted::AtMost(0.40)),
        Line { id: "T12", what, measured: balance, wanted: Wanted::AtMost(1.10) }.target(),
    ]
}

fn sizes(figures: &Figures) -> Vec<Target> {
    let growth = |server: &str, workers, most| {
        let size = sized(figures.cost("growth"), &[("name", server)], workers);
        let what = format!("CPU/conn with {workers} workers / with 2, {server}");
        let measured = spread(&size["cpu_ratio"]);
        Line { id: "T16", what, measured, wanted: Wanted::AtMost(most) }
    };
    let idle = figures.cost("idle");
    let count = &idle["connections"];
    let ratio = find(&idle["ratios"], &[("server", CREW), ("against", SHARED)]);
    let what = format!("new conn/s beside {count} idle ones, {CREW} / {SHARED}");
    let (measured, wanted) = (spread(&ratio["rate"]), Wanted::AtLeast(0.95));
    let rate = Line { id: "T17", what, measured, wanted };
    let server = find(&idle["servers"], &[("name", CREW)]);
    let sockets = |when: &str| server[when].as_f64();
    let held = || Some(single((sockets("sockets_with")? - sockets("sockets_without")?).max(0.0)));
    let what = format!("sockets more in the primary with {count} idle connections, {CREW}");
    let held = Line { id: "T17", what, measured: held(), wanted: Wanted::AtMost(0.0) };
    let mut targets = vec![growth(CREW, 32, 1.4).target(), growth(CREW, 128, 1.8).target()];
    targets.extend([32, 128].map(|workers| growth(KERNEL, workers, 0.0).shown()));
    targets.extend([32, 128].map(|workers| growth(PREFORK, workers, 0.0).shown()));
    targets.extend([rate.target(), held.target()]);
    targets
}

#[derive(Debug, Clone, Copy)]
enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

struct Line {
    id: &'static str,
    what: String,
    measured: Option<Spread>,
    wanted: Wanted,
}

impl Line {
    /// With this bound, in place of none.
    fn than(mut self, bound: f64) -> Target {
        self.wanted = match self.wanted {
            Wanted::AtLeast(_) => Wanted::AtLeast(bound),
            Wanted::AtMost(_) => Wanted::AtMost(bound),
        };
        self.target()
    }

    fn target(self) -> Target {
        let (wanted, reached): (_, fn(f64, f64) -> bool) = match self.wanted {
            Wanted::AtLeast(bound) => (("≥", bound), |found, bound| found >= bound),
            Wanted::AtMost(bound) => (("≤", bound), |found, bound| found <= bound),
        };
        let (sign, bound) = wanted;
        let reached = self.measured.map(|it| reached(it.median, bound));
        Target { wanted: format!("{sign} {bound}"), reached, ..self.shown() }
    }

    /// Nobody aims at it.
    fn shown(self) -> Target {
        let measured = self.measured.map_or_else(
            || "not measured".to_owned(),
            |it| if it.lower.total_cmp(&it.upper).is_eq() { rounded(it.median) } else { it.text() },
        );
        let (id, what) = (self.id, self.what);
        Target { id, what, wanted: String::new(), measured, reached: None }
    }
}

fn rounded(value: f64) -> String {
    let digits = if value.abs() >= 10.0 { 1 } else { 3 };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Of one look, without quartiles.
const fn single(value: f64) -> Spread {
    Spread { lower: value, median: value, upper: value }
}
