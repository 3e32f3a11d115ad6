//! Questions have a deadline, and end when nobody is there to answer.

use serde_json::json;

use crate::support::{Crew, SERVER, primary};

#[test]
fn questions_are_answered_both_ways() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(2);
    crew.tell(r#"ask 2 20000 {"how":["many"]}"#);
    let answer = crew.next("answer");
    assert_eq!(answer["body"], json!({ "answer": { "how": ["many"] }, "worker": 2 }));
    crew.tell(r#"send 1 {"op":"ask","body":"who?","ms":20000}"#);
    assert_eq!(crew.message(1), json!({ "answered": { "answer": "who?" } }));
}

#[test]
fn an_unanswered_question_ends_at_its_deadline() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    crew.tell(r#"ask 1 50 "silence""#);
    assert_eq!(crew.next("no-answer")["error"], "no answer came within the deadline");
    crew.tell(r#"send 1 {"op":"ask","body":"silence","ms":50}"#);
    assert_eq!(crew.message(1), json!({ "no-answer": "no answer came within the deadline" }));
}

#[test]
fn a_question_ends_when_the_worker_is_gone() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    crew.tell(r#"ask 1 600000 "silence""#);
    // The channel keeps the order: the worker has the question when it answers this.
    crew.tell(r#"ask 1 20000 "there?""#);
    crew.next("answer");
    crew.tell("kill 1 SIGKILL");
    assert_eq!(crew.next("no-answer")["error"], "the other end of the channel has gone");
    crew.next("exit");
    crew.next("disconnect");
    crew.tell(r#"ask 1 600000 "anybody?""#);
    assert_eq!(crew.next("no-answer")["error"], "the other end of the channel has gone");
}

#[test]
fn a_worker_that_leaves_in_the_middle_of_a_question_ends_it_too() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    crew.tell(r#"ask 1 600000 "silence""#);
    crew.tell(r#"send 1 {"op":"leave"}"#);
    assert_eq!(crew.next("no-answer")["error"], "the other end of the channel has gone");
    let exit = crew.next("exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
}
