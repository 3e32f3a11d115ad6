//! docs/control-api.md against the server: every address and every field, in both directions.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use portcrew_testkit::process::Signal;
use serde_json::Value;

use crate::crew::HANG;
use crate::home::{Home, PORTCREW};

const PAGE: &str = include_str!("../../../../docs/control-api.md");

/// Objects whose keys are data and not fields.
const MAPS: [&str; 2] = ["ledger.closed", "restarts"];

/// The first column of the tables below a heading.
fn described(heading: &str) -> BTreeSet<String> {
    let section = PAGE.split("\n## ").find(|it| it.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| Some(row.split_once('`')?.0.to_owned())).collect()
}

/// The paths of all fields in an answer.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(all) if !MAPS.contains(&path) => {
            for (key, value) in all {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                // A list is described by its elements.
                if !value.is_array() {
                    found.insert(path.clone());
                }
                fields(value, &path, found);
            }
        }
        Value::Array(all) => {
            let path = format!("{path}[]");
            found.insert(path.clone());
            for value in all {
                fields(value, &path, found);
            }
        }
        _ => {}
    }
}

/// What is described is there, and what is there is described. Below what is `null` now nothing can be seen.
fn assert_described(heading: &str, answer: &Value, null: &[&str]) {
    let mut found = BTreeSet::new();
    fields(answer, "", &mut found);
    let mut described = described(heading);
    for path in null {
        described.retain(|it| !it.starts_with(&format!("{path}.")));
    }
    assert_eq!(found, described, "{heading}");
}

/// A crew in the background, which has all that there can be.
fn start(home: &Home) -> portcrew_testkit::process::Process {
    let args = ["start", "--name", "api", "-w", "1", "--policy", "rr,./a.sock=shared", PORTCREW];
    let args = [&args[..], &["demo", "--port", "0"]].concat();
    let (answer, process) = home.ended(home.program(&args).start());
    assert_eq!(answer.status, 0, "{}", answer.stderr);
    process
}

#[test]
fn every_answer_has_the_fields_that_the_page_says() {
    let home = Home::new();
    let _crew = start(&home);
    let (_, status) = home.api("api", "GET", "/v1/status", "");
    assert_described("GET /v1/status", &status, &["reload"]);
    let (_, workers) = home.api("api", "GET", "/v1/workers", "");
    assert_eq!(workers["workers"][0]["pid"], status["workers"][0]["pid"]);
    assert_eq!(workers.as_object().unwrap().len(), 2);
    for (path, body) in [
        ("/v1/scale", r#"{"workers": 2}"#),
        ("/v1/signal", r#"{"signal": "CONT"}"#),
        ("/v1/policy", r#"{"policy": "least-connections"}"#),
        ("/v1/reload", ""),
    ] {
        let (status, answer) = home.api("api", "POST", path, body);
        assert_eq!(status, 200, "{path}: {answer}");
        assert_described(&format!("POST {path}"), &answer, &[]);
    }
    let (_, why) = home.api("api", "GET", "/v1/why", "");
    assert_described("GET /v1/why", &why, &[]);
    let (status, answer) = home.api("api", "POST", "/v1/stop", "");
    assert_eq!(status, 200);
    assert_described("POST /v1/stop", &answer, &[]);
}

#[test]
fn the_page_has_every_address_and_what_is_no_success_says_what_is_next() {
    let home = Home::new();
    let _crew = home.crew("api", "1");
    let (status, problem) = home.api("api", "GET", "/v2/status", "");
    assert_eq!(status, 404);
    let named = problem["next"].as_str().unwrap();
    for section in PAGE.split("\n## ").filter(|it| it.contains(" /v1/")) {
        let heading = section.lines().next().unwrap();
        let Some((method, path)) = heading.split_once(' ').filter(|it| it.1.starts_with("/v1/"))
        else {
            continue;
        };
        assert!(named.contains(path), "{path}: {named}");
        let wrong = if method == "GET" { "POST" } else { "GET" };
        assert_eq!(home.api("api", wrong, path, "").0, 405, "{path}");
    }
}

#[test]
fn metrics_are_those_of_the_page_in_the_form_of_openmetrics() {
    let home = Home::new();
    let crew = home.crew("api", "2");
    portcrew_testkit::http::Load::new(crew.address()).requests(10).run().assert_all_ok();
    let (status, text) = home.http("api", "GET", "/v1/metrics", "");
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let found: BTreeSet<_> =
        samples.map(|line| line.split_once('{').unwrap().0.to_owned()).collect();
    let mut described = described("GET /v1/metrics");
    let is_of_a_queue =
        |line: &&str| line.starts_with("portcrew_listener_accept_queue{crew=\"api\"");
    assert!(
        text.lines().any(|line| is_of_a_queue(&line) && line.contains("listener=\"127.0.0.1:0:4"))
    );
    // Nothing counts them under this policy, and nobody was lost.
    described.remove("portcrew_worker_live_connections");
    described.remove("portcrew_restarts_total");
    assert_eq!(found, described);
    let value = |sample: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(sample));
        line.unwrap_or_else(|| panic!("{sample}: {text}")).trim().to_owned()
    };
    // Nobody refused one. The last may not have been answered for yet.
    let taken = value("portcrew_connections_taken_total{crew=\"api\"}");
    assert_ne!(taken, "0");
    for sample in ["count{crew=\"api\"}", "bucket{crew=\"api\",le=\"+Inf\"}"] {
        assert_eq!(value(&format!("portcrew_handover_seconds_{sample}")), taken);
    }
    for line in text.lines() {
        let families = ["# TYPE ", "# HELP ", "# UNIT ", "# EOF"];
        let is_sample = line.contains("{crew=\"api\"")
            && line.rsplit(' ').next().unwrap().parse::<f64>().is_ok();
        assert!(is_sample || families.iter().any(|it| line.starts_with(it)), "{line}");
    }
}

#[test]
fn the_event_stream_is_server_sent_events_and_ends_with_the_crew() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let mut stream = BufReader::new(UnixStream::connect(home.socket("api")).unwrap());
    stream.get_mut().set_read_timeout(Some(HANG)).unwrap();
    stream.get_mut().write_all(b"GET /v1/events HTTP/1.0\r\n\r\n").unwrap();
    let mut lines = stream.lines().map(Result::unwrap);
    let head: Vec<_> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    assert!(head.contains(&"content-type: text/event-stream".to_owned()), "{head:?}");
    // It begins with a comment: from here on nothing is missed.
    assert_eq!(lines.next().as_deref(), Some(":"));
    home.api("api", "POST", "/v1/reload", "");
    crew.process.signal(Signal::Term);
    let events = lines.filter_map(|line| line.strip_prefix("data: ").map(str::to_owned));
    let events: Vec<Value> = events.map(|it| serde_json::from_str(&it).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|it| it["event"].as_str().unwrap()).collect();
    assert_eq!((kinds[0], &events[0]["state"]), ("reload", &"started".into()));
    for kind in ["fork", "online", "listening", "reload-progress", "exit"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    assert!(events.iter().all(|it| it["time_ms"].as_u64() > Some(0)));
}
