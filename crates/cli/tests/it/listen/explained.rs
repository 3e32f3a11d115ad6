//! What is said of such a crew: in notices, in events, by `describe`, and that no policy is for it.

use std::fs;

use serde_json::Value;

use super::world::{crew, load, python, script};
use crate::crew::{Crew, HANG};
use crate::home::Home;

#[test]
fn it_is_explained_who_has_the_socket_and_as_which_descriptor() {
    let Some(python) = python() else { return };
    let options = ["-w", "1", "--explain", "--listen", "127.0.0.1:0"];
    let crew = crew(&python, &options, "number.py", &["{fd}"]);
    crew.says("1 worker, shared");
    crew.says("the workers accept from one socket (shared); the kernel chooses");
    crew.says("workers have it from their start, as descriptor 3, and no channel");
}

#[test]
fn that_it_listens_is_an_event_before_any_worker_is_started() {
    let Some(python) = python() else { return };
    let options = ["-w", "1", "--events", "--listen", "127.0.0.1:0"];
    let crew = crew(&python, &options, "number.py", &["{fd}"]);
    let address = crew.address().to_string();
    crew.process.wait_line(|line| line.contains("\"event\":\"fork\""), HANG);
    let lines = crew.process.lines();
    let events = lines.iter().filter_map(|line| serde_json::from_str::<Value>(&line.text).ok());
    let events: Vec<Value> = events.collect();
    let place = |name: &str| events.iter().position(|it| it["event"] == name).unwrap();
    assert_eq!(events[place("opened")]["address"], address);
    assert!(place("opened") < place("fork"));
}

#[test]
fn status_and_metrics_show_a_shared_listener_whose_connections_nobody_counts() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let args = ["run", "--name", "api", "-w", "2", "--stable", "100ms", "--listen", "127.0.0.1:0"];
    let command =
        home.program(&args).arg("--").arg(&python).args(["-B", &script("number.py"), "{fd}"]);
    let crew = Crew { process: command.start() };
    let address = crew.address();
    home.complete("api");
    load(address).requests(20).run().assert_all_ok();
    let status = &home.json(&["describe", "--json", "api"])["crews"][0];
    let listener = &status["listeners"][0];
    assert_eq!(status["addresses"], serde_json::json!([address.to_string()]));
    assert_eq!((&listener["policy"], &listener["accepted"]), (&"shared".into(), &Value::Null));
    assert_eq!(listener["workers"], serde_json::json!([1, 2]));
    assert_eq!(status["workers"][0]["taken"], Value::Null);
    let (code, metrics) = home.http("api", "GET", "/v1/metrics", "");
    assert!(code == 200 && metrics.contains("portcrew_"), "{metrics}");
    let answer = home.ask(&["policy", "api", "round-robin"]);
    assert_ne!(answer.status, 0);
    assert!(answer.stderr.contains("takes connections by itself"), "{}", answer.stderr);
    assert!(fs::metadata(home.socket("api")).is_ok());
}
