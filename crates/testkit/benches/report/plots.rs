//! Which plots there are, and of which figures.

use serde_json::Value;

use crate::figures::{Figures, Spread, spread};
use crate::svg::{Axis, Bar, Chart, Group};

/// A plot: the name of its file, what is on it, and its text.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) file: &'static str,
    pub(crate) what: &'static str,
    pub(crate) svg: String,
}

/// All of whose figures there are.
pub(crate) fn all(figures: &Figures) -> Vec<Plot> {
    let plots = [
        ("rate.svg", "Short connections per second", rate(figures)),
        ("cpu.svg", "CPU of a short connection", cpu(figures)),
        ("kept.svg", "Requests per second on kept connections", kept(figures)),
        ("latency.svg", "99th percentile of the latency", latency(figures)),
        ("start.svg", "Time from the start to the first answer", start(figures)),
        ("memory.svg", "Memory of the whole tree", memory(figures)),
        ("growth.svg", "CPU of a connection with more and more workers", growth(figures)),
    ];
    plots
        .into_iter()
        .filter_map(|(file, what, chart)| Some(Plot { file, what, svg: chart.svg()? }))
        .collect()
}

fn rate(figures: &Figures) -> Chart {
    Chart {
        title: "Short connections".to_owned(),
        subtitle: closed(figures),
        unit: "connections per second",
        better: "more",
        axis: Axis::Linear,
        groups: ungrouped(descending(bars(&figures.load("short")["servers"], "rate"))),
        first: None,
    }
}

fn kept(figures: &Figures) -> Chart {
    Chart {
        title: "Keep-alive".to_owned(),
        subtitle: closed(figures),
        unit: "requests per second",
        better: "more",
        axis: Axis::Linear,
        groups: ungrouped(descending(bars(&figures.load("keep-alive")["servers"], "rate"))),
        first: None,
    }
}

fn cpu(figures: &Figures) -> Chart {
    let servers = &figures.load("short")["servers"];
    let mut bars = bars(servers, "cpu_us");
    for (bar, server) in bars.iter_mut().zip(list(servers)) {
        bar.first = spread(&server["primary_us"]).map(|it| it.median);
    }
    Chart {
        title: "CPU of a short connection".to_owned(),
        subtitle: closed(figures),
        unit: "microseconds of CPU in the whole process tree",
        better: "less",
        axis: Axis::Linear,
        groups: ungrouped(ascending(bars)),
        first: Some("of it the primary's"),
    }
}

fn latency(figures: &Figures) -> Chart {
    let load = figures.load("open");
    let rate = &load["per_second"];
    Chart {
        title: "Latency, 99th percentile".to_owned(),
        subtitle: format!(
            "short connections that come at random, {rate} a second; from the moment at which each was due"
        ),
        unit: "milliseconds",
        better: "less",
        axis: Axis::Logarithmic,
        groups: ungrouped(ascending(bars(&load["servers"], "p99_ms"))),
        first: None,
    }
}

fn start(figures: &Figures) -> Chart {
    let servers = list(&figures.cost("start")["servers"]);
    let group = |workers: u64| {
        let those = servers.clone().filter(|it| it["workers"] == workers);
        let bars = those.filter_map(|it| bar(it, spread(&it["first_ms"])?)).collect();
        Group { head: format!("{workers} workers"), bars: ascending(bars) }
    };
    Chart {
        title: "Start".to_owned(),
        subtitle: "from the start of the primary to the first answer; quartiles over the rounds"
            .to_owned(),
        unit: "milliseconds",
        better: "less",
        axis: Axis::Logarithmic,
        groups: [2, 8, 32].map(group).into_iter().filter(|it| !it.bars.is_empty()).collect(),
        first: None,
    }
}

fn memory(figures: &Figures) -> Chart {
    let memory = figures.cost("memory");
    let mebibytes = |value: &Value| value.as_f64().map(|it| it / f64::from(1 << 20));
    let bar = |server: &Value| {
        let loaded = &server["loaded"];
        Some(Bar {
            label: label(server)?,
            value: mebibytes(&loaded["tree_pss"])?,
            spread: None,
            first: mebibytes(&loaded["primary_pss"]),
        })
    };
    let count = &memory["connections"];
    Chart {
        title: "Memory".to_owned(),
        subtitle: format!(
            "a primary and 2 workers after {count} short connections, shared pages in parts"
        ),
        unit: "MiB (PSS)",
        better: "less",
        axis: Axis::Linear,
        groups: ungrouped(ascending(list(&memory["servers"]).filter_map(bar).collect())),
        first: Some("of it the primary's"),
    }
}

fn growth(figures: &Figures) -> Chart {
    let sizes = list(figures.cost("growth"));
    let group = |workers: u64| {
        let those = sizes.clone().filter(|it| it["workers"] == workers);
        let bars = those.filter_map(|it| bar(it, spread(&it["cpu_us"])?)).collect();
        Group { head: format!("{workers} workers"), bars }
    };
    Chart {
        title: "More and more workers".to_owned(),
        subtitle:
            "CPU of a short connection, 64 clients, answered by hand; quartiles over the rounds"
                .to_owned(),
        unit: "microseconds of CPU in the whole process tree",
        better: "less",
        axis: Axis::Linear,
        groups: [2, 8, 32, 128].map(group).into_iter().filter(|it| !it.bars.is_empty()).collect(),
        first: None,
    }
}

fn closed(figures: &Figures) -> String {
    let compare = &figures.all["compare"];
    let (clients, workers) = (&compare["clients"], &compare["workers"]);
    format!("{clients} clients in a closed loop, {workers} workers; quartiles over the rounds")
}

/// One bar of each server, by a figure with quartiles.
fn bars(servers: &Value, what: &str) -> Vec<Bar> {
    list(servers).filter_map(|server| bar(server, spread(&server[what])?)).collect()
}

fn bar(server: &Value, it: Spread) -> Option<Bar> {
    let spread = Some((it.lower, it.upper));
    Some(Bar { label: label(server)?, value: it.median, spread, first: None })
}

fn label(server: &Value) -> Option<String> {
    Some(server["name"].as_str()?.replace('`', ""))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> + Clone {
    value.as_array().into_iter().flatten()
}

fn ungrouped(bars: Vec<Bar>) -> Vec<Group> {
    vec![Group { head: String::new(), bars }]
}

fn ascending(mut bars: Vec<Bar>) -> Vec<Bar> {
    bars.sort_by(|one, other| one.value.total_cmp(&other.value));
    bars
}

fn descending(bars: Vec<Bar>) -> Vec<Bar> {
    let mut bars = ascending(bars);
    bars.reverse();
    bars
}
