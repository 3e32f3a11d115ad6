//! A worker of another runtime: it binds its port by itself, and marks its cluster messages.

use serde_json::json;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

#[test]
fn a_port_that_a_worker_has_bound_by_itself_is_told_apart_from_those_of_the_primary() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    crew.tell(&format!("program {ROGUE} foreign"));
    crew.tell("fork");
    let listening = crew.next_where("listening", |event| event["worker"] == 2);
    let own = crew.next("self-bound");
    assert_eq!((&own["worker"], &own["port"]), (&json!(2), &listening["port"]));
    assert_eq!(own["type"], "Tcp4");
    let events = crew.process.lines();
    let count = events.iter().filter(|line| line.text.contains("self-bound")).count();
    assert_eq!(count, 1, "the listener that the primary gave is none");
}

#[test]
fn a_worker_that_marks_its_cluster_messages_hears_that_it_is_to_leave() {
    let mut crew = Crew::start(primary(ROGUE).arg("foreign"));
    crew.tell("fork");
    crew.next("self-bound");
    crew.tell("disconnect 1");
    crew.process.wait_line(|line| line == "HEARD", HANG);
    let exit = crew.next("exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
}

#[test]
fn what_is_no_cluster_message_reaches_it_without_a_mark() {
    let mut crew = Crew::start(primary(ROGUE).arg("foreign"));
    crew.tell("fork");
    crew.next("self-bound");
    crew.tell(r#"send 1 "to the user""#);
    crew.process.wait_line(|line| line == r#"UNMARKED "to the user""#, HANG);
}
