//! No descriptor is left, or workers die under load: who steers is answered, and the books agree wherever they are
//! read.

use std::collections::BTreeMap;
use std::net::TcpStream;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually, proc_fs};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::crew::{Crew, HANG};
use crate::home::{Home, PORTCREW};

fn crew(home: &Home, options: &[&str]) -> Crew {
    let args = [&["run", "--name", "api"], options, &[PORTCREW, "demo", "--port", "0"]].concat();
    Crew { process: home.program(&args).start() }
}

fn limit(pid: u32, descriptors: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    prlimit(pid, Resource::Nofile, Rlimit { current: descriptors.or(maximum), maximum }).unwrap();
}

/// Lets it open nothing more but in place of what it has kept: the kernel gives the lowest free number.
fn starve(pid: u32) {
    let open = proc_fs::fds(pid).unwrap();
    let free = (0..).find(|number| open.iter().all(|(fd, _)| fd != number)).unwrap();
    limit(pid, Some(free.into()));
}

fn status(home: &Home) -> Value {
    let (code, status) = home.api("api", "GET", "/v1/status", "");
    assert_eq!(code, 200, "{status}");
    status
}

/// The samples without labels of their own, and those by reason.
fn metrics(home: &Home) -> BTreeMap<String, u64> {
    let (_, text) = home.http("api", "GET", "/v1/metrics", "");
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        let name = name.replace("{crew=\"api\"}", "").replace("{crew=\"api\",", "{");
        Some((name, value.parse().ok()?))
    };
    text.lines().filter_map(sample).collect()
}

#[test]
fn without_descriptors_commands_are_answered_and_workers_replaced() {
    let home = Home::new();
    let crew = crew(&home, &["-w", "3", "--shed"]);
    let address = crew.address();
    crew.pids_when(3);
    Load::new(address).clients(4).requests(100).run().assert_all_ok();
    status(&home);
    starve(crew.process.pid());
    let load = Load::new(address).clients(200).per_try_timeout(HANG).background();
    eventually("some are shed", HANG, || {
        (status(&home)["ledger"]["closed"]["shed"].as_u64() > Some(100)).then_some(())
    });
    for _ in 0..3 {
        let before = crew.pids_when(3);
        let worker = *before.first().unwrap();
        crew.process.signal_descendant(worker, Signal::Kill).unwrap();
        eventually("it is replaced", HANG, || {
            let now = status(&home);
            (crew.pids().len() == 3 && !crew.pids().contains(&worker) && now["ready"] == 3)
                .then_some(())
        });
    }
    assert_eq!(home.api("api", "POST", "/v1/scale", r#"{"by": -1}"#).0, 200);
    limit(crew.process.pid(), None);
    load.wait_answered(200, HANG);
    let report = load.finish();
    assert_eq!(report.hung() + report.refused + report.partial, 0, "{report}");
    let ledger = eventually("all is settled", HANG, || {
        let ledger = status(&home)["ledger"].clone();
        (ledger["held"] == 0 && ledger["offered"] == 0).then_some(ledger)
    });
    let closed: u64 =
        ledger["closed"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert_eq!(ledger["accepted"], ledger["taken"].as_u64().unwrap() + closed, "{ledger}");
}

#[test]
fn status_and_metrics_have_the_same_books_after_deaths_under_load() {
    let home = Home::new();
    let crew = crew(&home, &["-w", "3", "--policy", "least-connections"]);
    let address = crew.address();
    let load = Load::new(address).clients(16).background();
    for _ in 0..5 {
        load.wait_answered(100, HANG);
        let worker = *crew.pids_when(3).first().unwrap();
        crew.process.signal_descendant(worker, Signal::Kill).unwrap();
        eventually("it is gone", HANG, || (!crew.pids().contains(&worker)).then_some(()));
    }
    let report = load.finish();
    let ledger = eventually("all is settled", HANG, || {
        let before = status(&home)["ledger"].clone();
        let settled = before["held"] == 0 && before["offered"] == 0;
        (settled && before == status(&home)["ledger"]).then_some(before)
    });
    let samples = metrics(&home);
    for (name, value) in ledger.as_object().unwrap() {
        let Some(value) = value.as_u64() else { continue };
        let ends = [format!("_{name}"), format!("_{name}_total")];
        let is_it = |it: &&String| {
            let own = !it.contains('{') && !it.starts_with("portcrew_listener");
            own && ends.iter().any(|end| it.ends_with(end))
        };
        let found: Vec<_> = samples.keys().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!(samples[found[0]], value, "{name}");
    }
    for (reason, count) in ledger["closed"].as_object().unwrap() {
        let name = format!("portcrew_connections_closed_total{{reason=\"{reason}\"}}");
        assert_eq!(samples[&name], count.as_u64().unwrap(), "{reason}");
    }
    let number = |name: &str| ledger[name].as_u64().unwrap();
    assert_eq!(number("accepted"), report.connections, "{report}");
    // What failed was open in a worker when it was killed, or half read.
    let touched = ledger["closed"]["touched"].as_u64().unwrap();
    assert!(report.failures() <= number("died_inside") + touched, "{report} {ledger}");
    assert_eq!(number("died_uncounted"), 0);
}

#[test]
fn of_workers_that_accept_by_themselves_it_is_said_that_nobody_counts() {
    let home = Home::new();
    let crew = crew(&home, &["-w", "2", "--policy", "shared"]);
    let address = crew.address();
    Load::new(address).clients(4).requests(100).run().assert_all_ok();
    let status = status(&home);
    let listener = &status["listeners"][0];
    assert_eq!((&listener["accepted"], &listener["taken"]), (&Value::Null, &Value::Null));
    assert!(listener["accept_queue"]["limit"].is_u64() && status["listen_drops"].is_u64());
    assert_eq!(status["workers"][0]["taken"], Value::Null);
    let samples = metrics(&home);
    assert!(!samples.keys().any(|it| it.starts_with("portcrew_listener_accepted")), "{samples:?}");
    assert!(!samples.keys().any(|it| it.starts_with("portcrew_worker_taken")), "{samples:?}");
    let text = home.ask(&["describe", "api"]).stdout;
    assert!(text.contains("unknown where workers accept by themselves"), "{text}");
    let worker = *crew.pids_when(2).first().unwrap();
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    eventually("it is told what nobody knows", HANG, || {
        let why = home.ask(&["why", "api"]).stdout;
        why.contains("how many connections were open in it is unknown").then_some(())
    });
}

#[test]
fn what_died_with_a_worker_stands_in_the_chain() {
    let home = Home::new();
    let crew = crew(&home, &["-w", "1", "--policy", "least-connections"]);
    let address = crew.address();
    let _clients = [TcpStream::connect(address).unwrap(), TcpStream::connect(address).unwrap()];
    eventually("both are taken", HANG, || (status(&home)["ledger"]["taken"] == 2).then_some(()));
    let worker = *crew.pids_when(1).first().unwrap();
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    eventually("it is told", HANG, || {
        let why = home.ask(&["why", "api"]).stdout;
        why.contains("2 connections were open in it").then_some(())
    });
    assert_eq!(status(&home)["ledger"]["died_inside"], 2);
}
