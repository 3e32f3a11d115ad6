//! Servers that keep a connection: HTTP/2 over TLS, WebSockets, socket.io.

use std::collections::{BTreeMap, BTreeSet};

use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;
use serde_json::json;

use super::client::{Client, Session, pids};
use super::page;
use super::project::{Project, WORKERS, reload, stop};
use crate::crew::Crew;

/// Sessions that each worker has when they come one after another.
const EACH: usize = 3;
/// Requests in each session.
const REQUESTS: usize = 5;
/// Sessions at once.
const AT_ONCE: usize = 60;

#[test]
fn http2_over_tls_serves_as_a_crew_without_a_change() {
    serves("http2", "h2, encrypted", Project::with_tls("http2"));
}

#[test]
fn ws_serves_as_a_crew_without_a_change() {
    serves("ws", "websocket", Project::with_packages("ws", &["ws"]));
}

#[test]
fn socket_io_by_websocket_serves_as_a_crew_without_a_change() {
    let packages = ["socket.io", "socket.io-client"];
    serves("socket.io", "websocket", Project::with_packages("socket.io", &packages));
}

#[test]
fn socket_io_by_long_polling_serves_as_a_crew_where_a_session_says_where_it_lives() {
    let packages = ["socket.io", "socket.io-client"];
    let name = "socket.io-polling";
    let project = Project::with_packages(name, &packages);
    let policy = ["--policy", "sticky=query:sid+turn"];
    serves(name, "polling", project.map(|it| it.with_options(&policy)));
}

fn serves(name: &'static str, protocol: &str, project: Option<Project>) {
    let node = require_node!();
    let Some(project) = project else { return };
    let crew = project.run();
    let mut client = Client::start(&node, &project, name, crew.serving(WORKERS));
    in_turn(&crew, &mut client, protocol);
    a_death_is_felt_by_its_own_clients_alone(&crew, &mut client);
    let crowd = client.sessions(&format!("crowd {AT_ONCE} {REQUESTS}"));
    assert_eq!(answered(&crowd), AT_ONCE * REQUESTS);
    let reload = match protocol {
        "polling" => round_a_reload(&crew, &mut client),
        _ => format!("{} sessions of 2 requests", through_a_reload(&crew, &mut client)),
    };
    stop(crew);
    page::passed(page::Row {
        name,
        packages: project.packages,
        in_turn: format!("{EACH} sessions of {REQUESTS} requests each"),
        at_once: format!("{AT_ONCE} sessions of {REQUESTS}; others live when a worker is killed"),
        reload,
    });
}

/// One after another, each worker has as many as every other, and a session stays where it began.
fn in_turn(crew: &Crew, client: &mut Client, protocol: &str) {
    let sessions = client.sessions(&format!("sessions {} {REQUESTS}", EACH * WORKERS));
    assert!(sessions.iter().all(|it| it.protocol == protocol), "{}", sessions[0].protocol);
    assert_eq!(answered(&sessions), EACH * WORKERS * REQUESTS);
    let owners: Vec<_> = sessions.iter().map(|it| it.pids[0]).collect();
    assert_eq!(count(&owners), crew.pids().into_iter().map(|pid| (pid, EACH)).collect());
    assert!(sessions.iter().all(|it| it.pids.iter().all(|pid| *pid == it.pids[0])));
}

fn a_death_is_felt_by_its_own_clients_alone(crew: &Crew, client: &mut Client) {
    let opened = pids(&client.tell(&format!("open {}", EACH * WORKERS))["opened"]);
    assert_eq!(count(&opened), crew.pids().into_iter().map(|pid| (pid, EACH)).collect());
    let victim = opened[0];
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    let lost = client.tell(&format!("lost {EACH}"));
    let left = EACH * (WORKERS - 1);
    assert_eq!(lost, json!({ "lost": vec![victim; EACH], "open": left }));
    let heard = client.tell("ask");
    assert_eq!((&heard["failed"], heard["answers"].as_array().unwrap().len()), (&json!([]), left));
    for answer in heard["answers"].as_array().unwrap() {
        assert!(answer[0] == answer[1] && answer[0] != victim, "{heard}");
    }
    // The successor is the fourth that says that it listens.
    crew.serving(WORKERS + 1);
    let opened = pids(&client.tell(&format!("open {WORKERS}"))["opened"]);
    assert_eq!(BTreeSet::from_iter(opened), crew.pids_when(WORKERS));
    assert_eq!(client.tell("close"), json!({ "closed": left + WORKERS }));
}

/// A session of several connections ends with its worker, whose memory it lives in: the next ones are as before.
fn round_a_reload(crew: &Crew, client: &mut Client) -> String {
    let new = reload(crew);
    let sessions = client.sessions(&format!("sessions {} {REQUESTS}", EACH * WORKERS));
    assert_eq!(answered(&sessions), EACH * WORKERS * REQUESTS);
    assert_eq!(BTreeSet::from_iter(sessions.iter().map(|it| it.pids[0])), new);
    format!("{} sessions after it; those that were open end with their worker", sessions.len())
}

/// How many sessions there were, of which none failed, while every worker was replaced.
fn through_a_reload(crew: &Crew, client: &mut Client) -> u64 {
    client.tell("begin 4 2");
    client.tell("progress 20");
    let new = reload(crew);
    client.tell("progress 20");
    let end = client.tell("end");
    assert_eq!(end["failed"], json!([]));
    let answered = BTreeSet::from_iter(pids(&end["pids"]));
    assert!(answered.is_superset(&new), "{answered:?} {new:?}");
    end["over"].as_u64().unwrap()
}

fn answered(sessions: &[Session]) -> usize {
    sessions.iter().map(|it| it.pids.len()).sum()
}

fn count(pids: &[u32]) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for pid in pids {
        *counts.entry(*pid).or_default() += 1;
    }
    counts
}
