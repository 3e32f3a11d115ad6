//! The status as OpenMetrics text, for Prometheus and those who read the same.
//!
//! The form is that of the OpenMetrics specification 1.0: one block for each metric with its type and help, counters
//! end in `_total`, sizes are in bytes and times in seconds, and `# EOF` comes last.

use std::fmt::{Display, Write};

use portcrew::Histogram;

use super::v1::{AcceptQueue, Figures, Listener, Status, WorkerState};
use crate::output::words::metrics as words;

/// What the answer calls itself.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics of one crew. `answers` is how long its workers took for theirs.
pub(super) fn text(status: &Status, answers: &Histogram) -> String {
    let mut page = Page { text: String::new(), crew: &status.name };
    connections(&mut page, status);
    handovers(&mut page, answers);
    listeners(&mut page, status);
    crew(&mut page, status);
    output(&mut page, status);
    workers(&mut page, status);
    processes(&mut page, status);
    page.text.push_str("# EOF\n");
    page.text
}

fn connections(page: &mut Page<'_>, status: &Status) {
    let ledger = &status.ledger;
    for (name, help, value) in [
        ("portcrew_connections_accepted", words::ACCEPTED, ledger.accepted),
        ("portcrew_connections_taken", words::TAKEN, ledger.taken),
        ("portcrew_connections_offered_again", words::OFFERED_AGAIN, ledger.offered_again),
        ("portcrew_connections_rescued", words::RESCUED, ledger.rescued),
        ("portcrew_connections_looked_in_vain", words::IN_VAIN, ledger.looked_in_vain),
        ("portcrew_connections_died_inside", words::DIED_INSIDE, ledger.died_inside),
        ("portcrew_connections_cut_inside", words::CUT_INSIDE, ledger.cut_inside),
        ("portcrew_workers_died_uncounted", words::DIED_UNCOUNTED, ledger.died_uncounted),
        ("portcrew_workers_cut_uncounted", words::CUT_UNCOUNTED, ledger.cut_uncounted),
        ("portcrew_accept_failures", words::ACCEPT_FAILURES, ledger.accept_failures),
        ("portcrew_stray_answers", words::STRAY_ANSWERS, ledger.stray_answers),
        ("portcrew_bad_picks", words::BAD_PICKS, ledger.bad_picks),
        ("portcrew_scheduler_panics", words::SCHEDULER_PANICS, ledger.scheduler_panics),
    ] {
        page.head(name, Kind::Counter, help);
        page.line(&format!("{name}_total"), &[], value);
    }
    page.head("portcrew_connections_closed", Kind::Counter, words::CLOSED);
    for (reason, count) in &ledger.closed {
        page.line("portcrew_connections_closed_total", &[("reason", reason)], count);
    }
    for (name, help, value) in [
        ("portcrew_connections_held", words::HELD, ledger.held),
        ("portcrew_connections_offered", words::OFFERED, ledger.offered),
    ] {
        page.head(name, Kind::Gauge, help);
        page.line(name, &[], value);
    }
}

/// Counts of the buckets include those of the shorter ones, and the last has no bound.
fn handovers(page: &mut Page<'_>, answers: &Histogram) {
    let name = "portcrew_handover_seconds";
    page.head(name, Kind::Histogram, words::HANDOVER);
    let bucket = format!("{name}_bucket");
    for (bound, count) in answers.up_to() {
        page.line(&bucket, &[("le", &canonical(bound.as_secs_f64()))], count);
    }
    page.line(&bucket, &[("le", &"+Inf")], answers.count());
    page.line(&format!("{name}_sum"), &[], answers.sum().as_secs_f64());
    page.line(&format!("{name}_count"), &[], answers.count());
}

fn listeners(page: &mut Page<'_>, status: &Status) {
    let queue = |read: fn(&AcceptQueue) -> Option<u32>| {
        move |it: &Listener| it.accept_queue.as_ref().and_then(read).map(u64::from)
    };
    let gauge = |name| (name, Kind::Gauge);
    let counter = |name| (name, Kind::Counter);
    let held = |it: &Listener| Some(it.held as u64);
    let deepest = |it: &Listener| Some(it.deepest as u64);
    each_listener(page, status, gauge("held"), words::LISTENER_HELD, held);
    each_listener(page, status, gauge("held_deepest"), words::LISTENER_DEEPEST, deepest);
    for (name, help, read) in [
        ("accept_queue", words::ACCEPT_QUEUE, queue(|it| Some(it.waiting))),
        ("accept_queue_deepest", words::ACCEPT_QUEUE_DEEPEST, queue(|it| Some(it.deepest))),
        ("accept_queue_limit", words::ACCEPT_QUEUE_LIMIT, queue(|it| Some(it.limit))),
    ] {
        each_listener(page, status, gauge(name), help, read);
    }
    each_listener(page, status, counter("accepted"), words::LISTENER_ACCEPTED, |it| it.accepted);
    each_listener(page, status, counter("taken"), words::LISTENER_TAKEN, |it| it.taken);
    let dropped = queue(|it| it.dropped);
    each_listener(page, status, counter("dropped"), words::DROPPED, dropped);
    for (name, help, value) in [
        ("portcrew_namespace_listen_overflows", words::OVERFLOWS, status.listen_overflows),
        ("portcrew_namespace_listen_drops", words::DROPS, status.listen_drops),
    ] {
        page.head(name, Kind::Counter, help);
        if let Some(count) = value {
            page.line(&format!("{name}_total"), &[], count);
        }
    }
}

/// What is known of each listener.
fn each_listener(
    page: &mut Page<'_>,
    status: &Status,
    (name, kind): (&str, Kind),
    help: &str,
    read: impl Fn(&Listener) -> Option<u64>,
) {
    let name = format!("portcrew_listener_{name}");
    page.head(&name, kind, help);
    let sample = match kind {
        Kind::Counter => format!("{name}_total"),
        Kind::Gauge | Kind::Histogram => name,
    };
    for listener in &status.listeners {
        if let Some(value) = read(listener) {
            page.line(&sample, &[("listener", &escaped(&listener.key))], value);
        }
    }
}

fn crew(page: &mut Page<'_>, status: &Status) {
    page.head("portcrew_uptime_seconds", Kind::Gauge, words::UPTIME);
    page.line("portcrew_uptime_seconds", &[], seconds(status.uptime_ms));
    for (name, help, value) in [
        ("portcrew_generation", words::GENERATION, status.generation),
        ("portcrew_workers_wanted", words::WANTED, status.wanted as u64),
        ("portcrew_workers_ready", words::READY, status.ready as u64),
    ] {
        page.head(name, Kind::Gauge, help);
        page.line(name, &[], value);
    }
    page.head("portcrew_restarts", Kind::Counter, words::RESTARTS);
    for (reason, count) in &status.restarts {
        page.line("portcrew_restarts_total", &[("reason", reason)], count);
    }
}

fn output(page: &mut Page<'_>, status: &Status) {
    page.head("portcrew_output_lost_lines", Kind::Counter, words::OUTPUT_LOST);
    page.line("portcrew_output_lost_lines_total", &[], status.output_lost);
}

fn workers(page: &mut Page<'_>, status: &Status) {
    page.head("portcrew_worker_taken", Kind::Counter, words::WORKER_TAKEN);
    for worker in &status.workers {
        if let Some(taken) = worker.taken {
            page.line("portcrew_worker_taken_total", &[("worker", &worker.id)], taken);
        }
    }
    page.head("portcrew_worker_ready", Kind::Gauge, words::WORKER_READY);
    for worker in &status.workers {
        let ready = u8::from(worker.state == WorkerState::Ready);
        page.line("portcrew_worker_ready", &[("worker", &worker.id)], ready);
    }
    page.head("portcrew_worker_live_connections", Kind::Gauge, words::WORKER_LIVE);
    for worker in &status.workers {
        if let Some(live) = worker.live {
            page.line("portcrew_worker_live_connections", &[("worker", &worker.id)], live);
        }
    }
    page.head("portcrew_worker_handover_seconds", Kind::Gauge, words::WORKER_HANDOVER);
    for worker in &status.workers {
        if let Some(latency) = worker.latency_us {
            let value = latency as f64 / 1e6;
            page.line("portcrew_worker_handover_seconds", &[("worker", &worker.id)], value);
        }
    }
}

fn processes(page: &mut Page<'_>, status: &Status) {
    let primary = ("primary".to_owned(), status.figures);
    let workers = status.workers.iter().map(|it| (it.id.to_string(), it.figures));
    let all: Vec<(String, Figures)> = std::iter::once(primary).chain(workers).collect();
    page.head("portcrew_process_cpu_seconds", Kind::Counter, words::CPU);
    for (who, figures) in &all {
        if let Some(cpu) = figures.cpu_ms {
            page.line("portcrew_process_cpu_seconds_total", &[("process", who)], seconds(cpu));
        }
    }
    page.head("portcrew_process_memory_pss_bytes", Kind::Gauge, words::MEMORY);
    for (who, figures) in &all {
        if let Some(memory) = figures.memory {
            page.line("portcrew_process_memory_pss_bytes", &[("process", who)], memory);
        }
    }
}

/// A bound as the specification writes numbers: `1.0`, `0.0001`, `5e-05`. It is a label, so the same number must be the
/// same text wherever it comes from.
fn canonical(number: f64) -> String {
    // Rust writes `5e-5`. No bound is below the first that has two digits there.
    format!("{number:?}").replace("e-", "e-0")
}

/// A value that a path may be part of, as the specification wants it in a label.
fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

struct Page<'a> {
    text: String,
    /// On every line. A crew's name needs no escape.
    crew: &'a str,
}

impl Page<'_> {
    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.put(format_args!("# TYPE {name} {kind}\n"));
        // The unit is the name's last word, where it is one.
        if let Some(unit) = ["seconds", "bytes"].into_iter().find(|it| name.ends_with(it)) {
            self.put(format_args!("# UNIT {name} {unit}\n"));
        }
        self.put(format_args!("# HELP {name} {help}\n"));
    }

    fn line(&mut self, name: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        let crew = self.crew;
        self.put(format_args!("{name}{{crew=\"{crew}\""));
        for (label, value) in labels {
            self.put(format_args!(",{label}=\"{value}\""));
        }
        self.put(format_args!("}} {value}\n"));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_end_its_label() {
        assert_eq!(escaped("/a\"b\\c\nd"), r#"/a\"b\\c\nd"#);
    }

    #[test]
    fn bounds_are_written_as_every_other_producer_writes_them() {
        let all: Vec<_> = Histogram::BOUNDS.iter().map(|it| canonical(it.as_secs_f64())).collect();
        assert_eq!(all[..5], ["5e-05", "0.0001", "0.0002", "0.0005", "0.001"]);
        assert_eq!(all[12..], ["0.5", "1.0", "2.0", "5.0", "10.0"]);
    }
}
