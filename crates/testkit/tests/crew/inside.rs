//! What a worker's death costs beyond what it had not answered: known exactly where a policy counts, and said to be
//! unknown elsewhere.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};

use portcrew_testkit::process::{Signal, eventually, proc_fs};
use serde_json::{Value, json};

use crate::support::{Crew, HANG, SERVER, primary};

/// Connections that a worker takes, and of which it waits for the rest of the request.
fn held_open(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let open = || {
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(b"GET / HT").unwrap();
        client
    };
    (0..count).map(|_| open()).collect()
}

fn all_taken(crew: &mut Crew, count: u64) {
    eventually("all are taken", HANG, || (crew.snapshot()["taken"] == count).then_some(()));
}

fn killed(crew: &mut Crew) -> Value {
    let worker = proc_fs::children(crew.pid()).unwrap()[0];
    crew.process.signal_descendant(worker, Signal::Kill).unwrap();
    crew.next("died-inside")
}

#[test]
fn where_the_kernel_counts_it_is_known_how_many_died_with_a_worker() {
    let mut crew = Crew::start(primary(SERVER).env("LEAST", "1"));
    let address = crew.fork(2);
    let _clients = held_open(address, 40);
    all_taken(&mut crew, 40);
    let workers = crew.snapshot()["workers"].clone();
    let told = killed(&mut crew);
    let has = |it: &&Value| it["worker"] == told["worker"];
    let taken = workers.as_array().unwrap().iter().find(has).unwrap()["taken"].clone();
    assert_eq!((&told["open"], &told["planned"]), (&taken, &json!(false)));
    assert!(taken.as_u64() > Some(5), "{workers}");
    let snapshot = crew.snapshot();
    assert_eq!((&snapshot["died_inside"], &snapshot["died_uncounted"]), (&taken, &json!(0)));
}

#[test]
fn clients_that_answer_a_death_at_once_are_counted_all_the_same() {
    for round in 0..5 {
        let mut crew = Crew::start(primary(SERVER).env("LEAST", "1"));
        let address = crew.fork(1);
        // A death resets those that have sent what nobody has read: the kernel tells their ends before the worker's own.
        let clients = held_open(address, 100);
        all_taken(&mut crew, 100);
        for mut client in &clients {
            client.write_all(b"TP/1.1\r\nx: y\r\n").unwrap();
        }
        assert_eq!(killed(&mut crew)["open"], 100, "round {round}");
    }
}

#[test]
fn where_nothing_counts_it_is_unknown_and_that_is_said() {
    for policy in ["rr", "none"] {
        let program = primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", policy);
        let mut crew = Crew::start(program);
        let address = crew.fork(1);
        let mut client = held_open(address, 1).remove(0);
        client.write_all(b"TP/1.1\r\nconnection: close\r\n\r\n").unwrap();
        std::io::copy(&mut client, &mut std::io::sink()).unwrap();
        if policy == "rr" {
            // Its client may have the response before the primary has the worker's answer.
            all_taken(&mut crew, 1);
        }
        let listener = crew.snapshot()["listeners"][0].clone();
        let known = if policy == "rr" { json!(1) } else { Value::Null };
        assert_eq!(listener["accepted"], known, "{policy}");
        assert_eq!(killed(&mut crew)["open"], Value::Null, "{policy}");
        assert_eq!(crew.snapshot()["died_uncounted"], 1, "{policy}");
    }
}

#[test]
fn a_worker_that_never_took_anything_cost_nothing() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    assert_eq!(killed(&mut crew)["open"], 0);
}

#[test]
fn a_worker_that_is_killed_at_the_end_of_its_grace_is_told_with_what_was_cut() {
    let program = primary(SERVER).env("LEAST", "1").env("GRACE_MS", "200");
    let mut crew = Crew::start(program);
    crew.tell("start 1");
    let address = crew.listening(1);
    let _clients = held_open(address, 3);
    all_taken(&mut crew, 3);
    crew.tell("stop");
    let told = crew.next("died-inside");
    assert_eq!((&told["open"], &told["planned"]), (&json!(3), &json!(true)));
    let snapshot = crew.snapshot();
    assert_eq!((&snapshot["cut_inside"], &snapshot["died_inside"]), (&json!(3), &json!(0)));
}
