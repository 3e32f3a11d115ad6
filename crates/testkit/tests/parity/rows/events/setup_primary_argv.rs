//! What workers have as arguments when nobody says which: those of the primary.

use std::path::PathBuf;

use portcrew::{Event, Role, Settings};
use portcrew_testkit::fixture;
use serde_json::{Value, json};

use super::look;
use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-setup-primary-argv",
    asserts: "workers get the primary's own arguments, with the changes that were made before the first setup",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(rust_node),
        Proof::node_rust(node_rust),
        Proof::rust_rust(rust_rust),
    ],
    parts: &[Part::new("both", both), look::PART],
};

/// An argument of the primary, and one that it adds.
const OWN: &str = "own";
const ADDED: &str = "added";

/// The program and script of workers, where they are not the primary's.
const WORKERS: [&str; 2] = ["WORKER_EXEC", "WORKER_SCRIPT"];

/// One program for both sides, as with a closure that serves: without settings the workers are started as the primary
/// was.
fn rust_rust(world: &World) {
    let primary = NodeProcess::start(world.rust_program("both").arg(OWN));
    assert_eq!(args(&primary), json!([OWN, ADDED]));
    primary.ends_with(0);
}

fn rust_node(world: &World) {
    let workers = look::node_workers(world);
    let mut program = world.rust_program("both").arg(OWN);
    let exec = workers.exec.expect("it is named");
    let values = [exec.into_os_string(), workers.args[0].clone()];
    for (name, value) in WORKERS.into_iter().zip(values) {
        program = program.env(name, value);
    }
    let primary = NodeProcess::start(program);
    // All that stands behind the program's name there, and what names the part too.
    let part = format!("{}/both", ROW.name);
    assert_eq!(args(&primary), json!([part::FLAG, part, OWN, ADDED]));
    primary.ends_with(0);
}

fn node_rust(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        process.argv = [process.execPath, '--part', process.env.PARITY_PART, 'own'];
        process.argv.push('added');
        delete cluster.settings.exec;
        delete cluster.settings.args;
        cluster.setupPrimary();
        cluster.fork().on('message', () => cluster.disconnect());
        ",
    );
    assert_eq!(args(&primary), json!([OWN, ADDED]));
    primary.ends_with(0);
}

/// What the worker says that its arguments are.
fn args(primary: &NodeProcess) -> Value {
    primary.next("message")["message"]["args"].clone()
}

fn both(role: Role) {
    if matches!(role, Role::Worker(_)) {
        return (look::PART.main)(role);
    }
    let mut settings = Settings::default();
    settings.args.push(ADDED.into());
    if let [Some(exec), Some(script)] = WORKERS.map(std::env::var_os) {
        settings.exec = Some(PathBuf::from(exec));
        settings.args.insert(0, script);
    }
    part::primary(role, settings, async |mut cluster| {
        let worker = cluster.fork().await.expect("it starts");
        while let Some(event) = cluster.next_event().await {
            match event {
                Event::Message { message, .. } => {
                    let message: Value = message.json().expect("any JSON is a value");
                    fixture::tell("message", &json!({ "message": message }));
                    worker.disconnect();
                }
                Event::Exit { .. } => return,
                _ => {}
            }
        }
    });
}
