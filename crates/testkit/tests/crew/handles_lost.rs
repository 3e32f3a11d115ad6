//! Sockets that do not arrive: sent again, and given up in the end, on either side.

use std::io::Read as _;

use portcrew::{Error, Settings};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::kid::{Kid, connect, connected};
use crate::support::{Crew, KEEPER, ROGUE, address};

/// So many descriptors has a child that is to run out of them.
const FEW: u32 = 24;

async fn rogue(losses: usize, is_worker: bool) -> Kid {
    Kid::start(Settings::program(ROGUE, ["refuse", &losses.to_string()]), is_worker).await
}

fn few_descriptors() -> String {
    format!("ulimit -n {FEW}; exec {KEEPER}")
}

fn read_all(mut client: impl std::io::Read) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_refused_connection_is_sent_again_until_it_is_taken() {
    for (losses, is_worker) in [(1, true), (3, true), (1, false), (3, false)] {
        let mut kid = rogue(losses, is_worker).await;
        let (client, accepted) = connected();
        kid.give(&json!({ "n": 1 }), accepted);
        let refused = vec!["net.Socket"; losses];
        assert_eq!(kid.said().await, json!({ "took": { "n": 1 }, "refused": refused }));
        assert_eq!(read_all(client), "rogue");
    }
}

#[tokio::test]
async fn after_four_refusals_the_parent_hears_which_was_lost_and_goes_on() {
    for is_worker in [true, false] {
        let mut kid = rogue(4, is_worker).await;
        let (mut client, accepted) = connected();
        let named = format!(
            "the connection between {} and {}",
            client.peer_addr().unwrap(),
            client.local_addr().unwrap()
        );
        kid.give(&json!({ "n": 1 }), accepted);
        let (second, accepted) = connected();
        kid.give(&json!({ "n": 2 }), accepted);
        let Err(Error::HandleLost { handle, tries: 4 }) = kid.next().await.map(|it| it.message)
        else {
            panic!("no word of the loss")
        };
        assert_eq!(handle, named);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        assert_eq!(kid.said().await["took"], json!({ "n": 2 }));
        assert_eq!(read_all(second), "rogue");
    }
}

#[test]
fn what_node_sends_again_is_unwrapped_taken_once_and_answered_once() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        for losses in [1, 3] {
            let program = node.fixture("handles_parent.js").arg(mode).arg(ROGUE).arg("refuse");
            let mut crew = Crew::start(program.arg(losses.to_string()).stdin_pipe());
            crew.tell(&json!({ "do": "listen", "with": { "n": 1 } }).to_string());
            let place = address(&crew.next("server"));
            let client = connect(place);
            // Node wraps its second and later tries.
            let mut types = vec!["net.Native"; losses];
            types[0] = "net.Socket";
            let told = json!({ "took": { "n": 1 }, "refused": types });
            assert_eq!(crew.next("message")["message"], told);
            assert_eq!(read_all(client), "rogue");
            // One answer too many would have ended Node.
            assert_eq!(read_all(connect(place)), "rogue");
            assert_eq!(crew.next("message")["message"]["took"], json!({ "n": 1 }));
        }
    }
}

#[test]
fn a_rust_child_without_descriptors_refuses_what_node_sends_and_takes_it_when_it_has_some() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg("/bin/sh");
        let mut crew = Crew::start(program.arg("-c").arg(few_descriptors()).stdin_pipe());
        crew.tell(&json!({ "do": "listen", "with": { "op": "keep" } }).to_string());
        let place = address(&crew.next("server"));
        let warned = |line: &str| line.contains("SentHandleNotReceivedWarning");
        let mut clients = Vec::new();
        while !crew.process.lines().iter().any(|line| warned(&line.text)) {
            assert!(clients.len() < FEW as usize, "{FEW} descriptors hold more than {FEW}");
            let before = crew.process.mark();
            clients.push(connect(place));
            crew.process.wait_line_after(
                before,
                |line| line.contains(r#""kept""#) || warned(line),
                crate::support::HANG,
            );
        }
        assert!(clients.len() > 3);
        crew.tell(&json!({ "do": "send", "message": { "op": "release" } }).to_string());
        crew.next_where("message", |event| event["message"]["left"].is_u64());
        clients.push(connect(place));
        let kept = |event: &Value| event["message"]["kept"] == clients.len() - 2;
        crew.next_where("message", kept);
    }
}

#[tokio::test]
async fn a_child_without_descriptors_refuses_what_its_parent_sends() {
    for is_worker in [true, false] {
        let settings = Settings::program("/bin/sh", ["-c", &few_descriptors()]);
        let mut kid = Kid::start(settings, is_worker).await;
        let mut clients = Vec::new();
        let error = loop {
            assert!(clients.len() < FEW as usize, "{FEW} descriptors hold more than {FEW}");
            let (client, accepted) = connected();
            clients.push(client);
            kid.give(&json!({ "op": "keep" }), accepted);
            match kid.next().await {
                Ok(came) => assert_eq!(came.message, json!({ "kept": clients.len() })),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::HandleLost { tries: 4, .. }), "{error:?}");
        assert_eq!(clients.pop().unwrap().read(&mut [0]).unwrap(), 0);
        kid.say(&json!({ "op": "release" }));
        assert_eq!(kid.said().await["left"], clients.len() - 1);
        kid.give(&json!({ "op": "keep" }), connected().1);
        assert_eq!(kid.said().await["kept"], clients.len());
    }
}
