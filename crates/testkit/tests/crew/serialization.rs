//! Node's `advanced` serialization is not spoken here: whoever asks for it is told so, and nobody waits.

use portcrew::{Cluster, Error, Event, Serialization, Settings};
use portcrew_testkit::node::Node;
use portcrew_testkit::process::Program;
use portcrew_testkit::require_node;
use serde_json::json;

use crate::local::Local;
use crate::support::{Crew, HANG, ROLE, SERVER};

/// What whoever reads the child's standard error needs: the setting, whose it is, what to do.
const WORDS: [&str; 3] =
    ["NODE_CHANNEL_SERIALIZATION_MODE", "the parent chose", "serialization: 'json'"];

fn is_the_line(line: &str) -> bool {
    WORDS.iter().all(|word| line.contains(word))
}

fn advanced(node: &Node, script: &str, program: &str) -> Program {
    node.fixture(script).arg(program).env("SERIALIZATION", "advanced").stdin_pipe()
}

#[test]
fn a_worker_of_a_node_primary_that_wants_it_ends_at_once_and_says_what_to_change() {
    let node = require_node!();
    for program in [ROLE, SERVER] {
        let primary = advanced(&node, "node_primary.js", program).env("PORT", "0");
        // One alone: two that write a line at once may mix them, for a line is written in pieces.
        let mut crew = Crew::start(primary.env("WORKERS", "1"));
        let exit = crew.next("exit");
        assert_eq!((&exit["code"], &exit["exitedAfterDisconnect"]), (&json!(1), &json!(false)));
        crew.next("disconnect");
        // Node's side has nothing left to wait for.
        crew.process.close_stdin();
        let (status, lines) = crew.process.wait_output(HANG);
        assert!(status.success(), "{status}");
        let told = lines.iter().filter(|line| is_the_line(&line.text)).count();
        assert_eq!(told, 1, "one line: {lines:?}");
    }
}

#[test]
fn the_child_of_a_plain_fork_that_wants_it_ends_too() {
    let node = require_node!();
    let mut crew = Crew::start(advanced(&node, "plain_fork.js", ROLE));
    assert_eq!(crew.next("exit")["code"], 1);
    crew.process.wait_line(is_the_line, HANG);
    assert!(crew.process.wait_exit(HANG).success());
}

#[test]
fn set_here_it_is_refused_before_anything_is_started() {
    let mut settings = Settings::program(ROLE, [""; 0]);
    let mut local = Local::new(settings.clone());
    settings.serialization = Serialization::Advanced;
    let refused = |error: Error| {
        let Error::Setting { setting, reason } = &error else { panic!("{error:?}") };
        assert!(*setting == "serialization" && reason.contains("Serialization::Json"), "{error:?}");
    };
    local.run(async { refused(Cluster::new(settings.clone()).unwrap_err()) });
    refused(local.cluster.setup(settings).unwrap_err());
    let change = |it: &mut Settings| it.serialization = Serialization::Advanced;
    refused(local.cluster.setup_with(change).unwrap_err());
    // The settings are those of before.
    assert_eq!(local.cluster.settings().serialization, Serialization::Json);
    // Nothing was started, nothing was said.
    let worker = local.fork();
    assert_eq!(worker.id().0, 1);
    assert!(
        matches!(local.next(), Event::Setup { .. }) && matches!(local.next(), Event::Fork { .. })
    );
}
