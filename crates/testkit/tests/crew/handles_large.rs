//! Long messages with sockets, and many at once in both directions.

use std::io::{Read as _, Write as _};

use portcrew::Handle;
use portcrew_testkit::require_node;
use serde_json::json;

use crate::kid::{KINDS, Kid, connect, connected};
use crate::support::{Crew, KEEPER, address};

/// As in Node's own test.
const LONG: usize = 800_004;

/// So many sockets each way, with so much text each: far more than any buffer holds.
const CROWD: usize = 40;
const PAD: usize = 20_000;

#[test]
fn a_long_message_from_node_and_its_socket_come_together_and_go_back_so() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe();
        let mut crew = Crew::start(program);
        let listen = json!({ "do": "listen", "with": { "op": "echo" }, "bytes": LONG });
        crew.tell(&listen.to_string());
        let mut client = connect(address(&crew.next("server")));
        let event = crew.next("message");
        assert_eq!(event["message"], json!({ "op": "echoed", "text": LONG }));
        assert_eq!(event["handle"], "Socket");
        // Node has written to what came back.
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "parent");
    }
}

#[tokio::test]
async fn a_long_message_to_a_child_and_its_socket_come_together_and_come_back_so() {
    let long = "x".repeat(LONG);
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        let (mut client, accepted) = connected();
        kid.give(&json!({ "op": "echo", "text": long }), accepted);
        let came = kid.came().await;
        assert_eq!(came.message["text"], long.as_str(), "{kind:?}");
        let Some(Handle::TcpStream(mut stream)) = came.handle else { panic!("{:?}", came.handle) };
        stream.write_all(b"back").unwrap();
        drop(stream);
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "back", "{kind:?}");
    }
}

#[test]
fn node_and_a_rust_child_send_crowds_of_sockets_to_each_other_at_once() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe();
        let mut crew = Crew::start(program);
        crew.tell(&json!({ "do": "crowd", "count": CROWD, "bytes": PAD }).to_string());
        let items = crew.next("items");
        assert_eq!((&items["count"], &items["ordered"]), (&json!(CROWD), &json!(true)));
        let message = crew.next_where("message", |event| event["message"]["items"].is_u64());
        assert_eq!(message["message"], json!({ "items": CROWD, "ordered": true }));
    }
}

#[tokio::test]
async fn a_parent_and_its_child_send_crowds_of_sockets_to_each_other_at_once() {
    let pad = "p".repeat(PAD);
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        kid.say(&json!({ "op": "crowd", "count": CROWD, "bytes": PAD }));
        let mut clients = Vec::new();
        for n in 0..CROWD {
            let (client, accepted) = connected();
            clients.push(client);
            kid.give(&json!({ "op": "item", "n": n, "of": CROWD, "pad": pad }), accepted);
        }
        let (mut next, mut answer) = (0, None);
        while next < CROWD || answer.is_none() {
            let came = kid.came().await;
            if came.handle.is_some() {
                assert_eq!(came.message["n"], next, "{kind:?}");
                next += 1;
            } else {
                answer = Some(came.message);
            }
        }
        assert_eq!(answer, Some(json!({ "items": CROWD, "ordered": true })), "{kind:?}");
        // The child has closed each, and nobody else holds one.
        for mut client in clients {
            assert_eq!(client.read(&mut [0]).unwrap(), 0);
        }
    }
}
