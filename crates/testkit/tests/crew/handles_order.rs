//! Which message a socket comes with, who may write to it, and what a second sending does.

use std::io::{Read as _, Write as _};

use portcrew_testkit::require_node;
use serde_json::json;

use crate::kid::{KINDS, Kid, connect, connected};
use crate::support::{Crew, KEEPER, address};

/// Words of two writers, in any order.
fn words(client: &mut std::net::TcpStream, bytes: usize) -> Vec<String> {
    let mut read = vec![0; bytes];
    client.read_exact(&mut read).unwrap();
    let text = String::from_utf8(read).unwrap();
    let mut words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    words.sort();
    words
}

#[test]
fn of_three_messages_of_node_the_middle_one_has_the_socket() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe();
        let mut crew = Crew::start(program);
        let with = json!({ "between": true });
        crew.tell(&json!({ "do": "listen", "with": with, "around": true }).to_string());
        let _client = connect(address(&crew.next("server")));
        for (heard, handle) in [(json!("before"), false), (with, true), (json!("after"), false)] {
            let message = &crew.next("message")["message"];
            assert_eq!(*message, json!({ "heard": heard, "handle": handle }), "{mode}");
        }
    }
}

#[tokio::test]
async fn of_three_messages_to_a_child_the_middle_one_has_the_socket() {
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        let (_client, accepted) = connected();
        kid.say(&json!("before"));
        kid.give(&json!("between"), accepted);
        kid.say(&json!("after"));
        for (word, has_socket) in [("before", false), ("between", true), ("after", false)] {
            let said = kid.said().await;
            assert_eq!(said["heard"], word, "{kind:?}");
            let told = &said["handle"];
            assert_eq!(
                *told != json!(null) && *told != json!(false),
                has_socket,
                "{kind:?}: {said}"
            );
        }
    }
}

#[test]
fn what_node_keeps_open_both_may_write_to() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe();
        let mut crew = Crew::start(program);
        let listen = json!({ "do": "listen", "with": { "op": "keep" }, "keepOpen": true });
        crew.tell(&listen.to_string());
        let mut client = connect(address(&crew.next("server")));
        assert_eq!(crew.next("message")["message"], json!({ "kept": 1 }));
        let write = json!({ "op": "write", "text": " child " });
        crew.tell(&json!({ "do": "send", "message": write }).to_string());
        assert_eq!(words(&mut client, "parent  child ".len()), ["child", "parent"], "{mode}");
    }
}

#[tokio::test]
async fn to_a_stream_that_was_cloned_before_it_was_sent_both_may_write() {
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        let (mut client, mut accepted) = connected();
        kid.give(&json!({ "op": "keep" }), accepted.try_clone().unwrap());
        assert_eq!(kid.said().await, json!({ "kept": 1 }));
        kid.say(&json!({ "op": "write", "text": " child " }));
        accepted.write_all(b"parent ").unwrap();
        assert_eq!(kid.said().await, json!({ "wrote": " child " }));
        assert_eq!(words(&mut client, "parent  child ".len()), ["child", "parent"], "{kind:?}");
    }
}

#[test]
fn what_node_sends_twice_comes_as_one_socket_and_two_messages() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let program = node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe();
        let mut crew = Crew::start(program);
        let with = json!({ "again": true });
        crew.tell(&json!({ "do": "listen", "with": with, "times": 2 }).to_string());
        let _client = connect(address(&crew.next("server")));
        for handle in [true, false] {
            let message = &crew.next("message")["message"];
            assert_eq!(*message, json!({ "heard": with, "handle": handle }), "{mode}");
        }
    }
}

#[tokio::test]
async fn what_is_sent_twice_comes_twice_and_is_one_connection() {
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        let (mut client, accepted) = connected();
        kid.give(&json!({ "op": "keep" }), accepted.try_clone().unwrap());
        kid.give(&json!({ "op": "keep" }), accepted);
        for kept in [1, 2] {
            assert_eq!(kid.said().await, json!({ "kept": kept }), "{kind:?}");
        }
        kid.say(&json!({ "op": "release" }));
        assert_eq!(kid.said().await, json!({ "left": 1 }), "{kind:?}");
        // Node shuts a socket down when it destroys it: only its own descriptor of it.
        kid.say(&json!({ "op": "release" }));
        assert_eq!(kid.said().await, json!({ "left": 0 }), "{kind:?}");
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "{kind:?}");
    }
}
